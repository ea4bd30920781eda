import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

type GridCell = { id: string; width: number; isNumeric: boolean; content: ReactNode };

type GridRowProps = {
  id: string;
  index: number;
  top: number;
  height: number;
  isActive: boolean;
  isOpen: boolean;
  cells: readonly GridCell[];
  onOpen: () => void;
};

export function GridRow({ id, index, top, height, isActive, isOpen, cells, onOpen }: GridRowProps) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the grid takes the keys for its active row
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isActive}
      onClick={onOpen}
      style={{ transform: `translateY(${top}px)`, height }}
      className={cn(
        "absolute flex min-w-full cursor-pointer border-b hover:bg-accent/60",
        isActive && "group-focus-visible/grid:shadow-[inset_2px_0_0_var(--ring)]",
        isOpen ? "bg-accent" : isActive && "bg-accent/60",
      )}
    >
      {cells.map((cell) => (
        <div
          key={cell.id}
          role="gridcell"
          style={{ width: cell.width }}
          className={cn("shrink-0 self-center truncate px-3", cell.isNumeric && "text-right")}
        >
          {cell.content}
        </div>
      ))}
    </div>
  );
}
