"use client";

import { useTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useId, useMemo, useRef, useState } from "react";
import { ErrorState } from "@/components/ui/error-state";
import type { TableInfo, TableRow } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import type { Visibility } from "./column-visibility";
import { gridColumns, gridFeatures, isNumeric } from "./grid-columns";
import { GridHeader } from "./grid-header";
import { moveActive } from "./grid-keys";
import { GridRow } from "./grid-row";

const ROW_HEIGHT = 34;
const LOAD_AHEAD = 30;

type RowsGridProps = {
  table: TableInfo;
  items: readonly TableRow[];
  total: number | null;
  sort: string;
  visibility: Visibility;
  openRowId: string | null;
  hasMore: boolean;
  isLoadingMore: boolean;
  loadError: unknown;
  isStale: boolean;
  onSort: (sort: string) => void;
  onOpen: (id: string) => void;
  onLoadMore: () => void;
};

const rowId = (row: TableRow) => String(row.id);

export function RowsGrid(props: RowsGridProps) {
  const { table: info, items, visibility, openRowId, hasMore, isLoadingMore, loadError, onLoadMore, onOpen } = props;
  const gridId = useId();
  const box = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(() =>
    Math.max(
      0,
      items.findIndex((row) => rowId(row) === openRowId),
    ),
  );
  const columns = useMemo(() => gridColumns(info.columns), [info.columns]);
  const table = useTable({
    features: gridFeatures,
    columns,
    data: items,
    getRowId: rowId,
    state: { columnVisibility: visibility },
  });
  const rows = table.getRowModel().rows;
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    // The sticky header covers the first row's height of the viewport.
    scrollPaddingStart: ROW_HEIGHT,
  });
  const visible = virtualizer.getVirtualItems();
  const lastShown = visible.at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !isLoadingMore && !loadError && lastShown >= rows.length - LOAD_AHEAD) onLoadMore();
  }, [hasMore, isLoadingMore, loadError, lastShown, rows.length, onLoadMore]);

  const { sort } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new order is what sends the grid back to its top
  useEffect(() => {
    setActive((current) => (current === 0 ? current : 0));
    box.current?.scrollTo({ top: 0 });
  }, [sort]);

  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    if (event.key === "Enter") {
      // Or the key would go on to press whatever the drawer focuses first: its close button.
      event.preventDefault();
      const row = items[active];
      if (row) onOpen(rowId(row));
      return;
    }
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const next = moveActive(event.key, active, rows.length, page);
    if (next === null) return;
    event.preventDefault();
    setActive(next);
    virtualizer.scrollToIndex(next);
  };

  const isActiveShown = visible.some((item) => item.index === active);
  const width = table.getTotalSize();
  return (
    <div
      ref={box}
      role="grid"
      aria-label={info.title}
      aria-rowcount={props.total === null ? -1 : props.total + 1}
      aria-colcount={table.getVisibleLeafColumns().length}
      aria-activedescendant={isActiveShown ? `${gridId}-${active}` : undefined}
      aria-busy={props.isStale}
      tabIndex={0}
      onKeyDown={onKeyDown}
      className={cn(
        "group/grid min-h-0 flex-1 overflow-auto rounded-lg border bg-card text-data tabular-nums transition-opacity",
        props.isStale && "opacity-60",
      )}
    >
      <GridHeader
        columns={table.getVisibleLeafColumns()}
        infos={info.columns}
        sort={sort}
        width={width}
        onSort={props.onSort}
      />
      <div role="rowgroup" className="relative" style={{ height: virtualizer.getTotalSize(), minWidth: width }}>
        {visible.map((item) => {
          const row = rows[item.index];
          if (!row) return null;
          return (
            <GridRow
              key={row.id}
              id={`${gridId}-${item.index}`}
              index={item.index}
              top={item.start}
              height={ROW_HEIGHT}
              isActive={item.index === active}
              isOpen={row.id === openRowId}
              onOpen={() => {
                setActive(item.index);
                onOpen(row.id);
              }}
              cells={row.getVisibleCells().map((cell) => ({
                id: cell.id,
                width: cell.column.getSize(),
                isNumeric: isNumeric(info.columns.find(({ name }) => name === cell.column.id)?.type ?? "text"),
                content: <table.FlexRender cell={cell} />,
              }))}
            />
          );
        })}
      </div>
      {loadError !== null && <ErrorState error={loadError} onRetry={onLoadMore} />}
    </div>
  );
}
