"use client";

import { X } from "lucide-react";
import { useState } from "react";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import type { ColumnInfo } from "@/lib/api/models";
import { describeFilter, type Filter } from "./filter";
import { FilterEditor } from "./filter-editor";

type FilterChipProps = {
  filter: Filter;
  columns: readonly ColumnInfo[];
  onChange: (filter: Filter) => void;
  onRemove: () => void;
};

export function FilterChip({ filter, columns, onChange, onRemove }: FilterChipProps) {
  const [isOpen, setOpen] = useState(false);
  const words = describeFilter(
    filter,
    columns.find(({ name }) => name === filter.column),
  );
  return (
    <span className="flex h-8 max-w-full items-center rounded-md border border-primary/35 bg-primary/8 text-data">
      <Popover open={isOpen} onOpenChange={setOpen}>
        <PopoverTrigger className="h-full min-w-0 cursor-pointer truncate rounded-l-md px-2.5 hover:bg-primary/10">
          {words}
        </PopoverTrigger>
        <PopoverContent aria-label="Edit filter">
          <FilterEditor
            columns={columns}
            initial={filter}
            onApply={(next) => {
              onChange(next);
              setOpen(false);
            }}
          />
        </PopoverContent>
      </Popover>
      <button
        type="button"
        aria-label={`Remove filter: ${words}`}
        onClick={onRemove}
        className="grid h-full w-7 cursor-pointer place-content-center rounded-r-md hover:bg-primary/15"
      >
        <X aria-hidden className="size-3.5" />
      </button>
    </span>
  );
}
