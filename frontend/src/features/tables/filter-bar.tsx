"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Popover, PopoverContent, PopoverTrigger } from "@/components/ui/popover";
import type { ColumnInfo } from "@/lib/api/models";
import { encodeFilter, type Filter } from "./filter";
import { FilterChip } from "./filter-chip";
import { FilterEditor } from "./filter-editor";

type FilterBarProps = {
  columns: readonly ColumnInfo[];
  filters: readonly Filter[];
  onChange: (filters: readonly Filter[]) => void;
};

export function FilterBar({ columns, filters, onChange }: FilterBarProps) {
  const [isAdding, setAdding] = useState(false);
  const filterable = columns.filter((column) => column.filterable);
  return (
    <fieldset className="flex min-w-0 shrink grow basis-40 flex-wrap items-center gap-2">
      <legend className="sr-only">Filters</legend>
      {filters.map((filter, index) => (
        <FilterChip
          key={encodeFilter(filter)}
          filter={filter}
          columns={filterable}
          onChange={(next) => onChange(filters.map((one, at) => (at === index ? next : one)))}
          onRemove={() => onChange(filters.filter((_, at) => at !== index))}
        />
      ))}
      <Popover open={isAdding} onOpenChange={setAdding}>
        <PopoverTrigger asChild>
          <Button size="sm" disabled={filterable.length === 0}>
            <Plus aria-hidden />
            Add filter
          </Button>
        </PopoverTrigger>
        <PopoverContent aria-label="New filter">
          <FilterEditor
            columns={filterable}
            onApply={(filter) => {
              onChange([...filters.filter((one) => encodeFilter(one) !== encodeFilter(filter)), filter]);
              setAdding(false);
            }}
          />
        </PopoverContent>
      </Popover>
      {filters.length > 0 && (
        <Button size="sm" variant="ghost" onClick={() => onChange([])}>
          Clear filters
        </Button>
      )}
    </fieldset>
  );
}
