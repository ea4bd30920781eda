import { ArrowDown, ArrowUp } from "lucide-react";
import type { ColumnInfo } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { isNumeric } from "./grid-columns";
import { nextSort, parseSort } from "./sort";

type GridHeaderProps = {
  columns: readonly { id: string; getSize: () => number }[];
  infos: readonly ColumnInfo[];
  sort: string;
  width: number;
  onSort: (sort: string) => void;
};

export function GridHeader({ columns, infos, sort, width, onSort }: GridHeaderProps) {
  const { column: sorted, isDescending } = parseSort(sort);
  const direction = isDescending ? "descending" : "ascending";
  const Arrow = isDescending ? ArrowDown : ArrowUp;
  return (
    <div role="rowgroup" className="sticky top-0 z-10" style={{ minWidth: width }}>
      <div role="row" aria-rowindex={1} className="flex h-[34px] border-b bg-muted">
        {columns.map((column) => {
          const info = infos.find(({ name }) => name === column.id);
          if (!info) return null;
          const isSorted = sorted === column.id;
          return (
            <div
              key={column.id}
              role="columnheader"
              aria-sort={info.sortable ? (isSorted ? direction : "none") : undefined}
              style={{ width: column.getSize() }}
              className={cn(
                "flex shrink-0 items-center px-3 font-medium text-muted-foreground",
                isNumeric(info.type) && "justify-end",
              )}
            >
              {info.sortable ? (
                <button
                  type="button"
                  onClick={() => onSort(nextSort(sort, column.id))}
                  className={cn(
                    "flex cursor-pointer items-center gap-1 hover:text-foreground",
                    isSorted && "text-foreground",
                  )}
                >
                  {info.title}
                  {isSorted && <Arrow aria-hidden className="size-3.5" />}
                </button>
              ) : (
                <span className="truncate">{info.title}</span>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}
