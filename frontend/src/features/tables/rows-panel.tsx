"use client";

import { FilterX, Rows3 } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { TextLink } from "@/components/ui/text-link";
import type { TableInfo, TableRow } from "@/lib/api/models";
import type { Visibility } from "./column-visibility";
import { RowsGrid } from "./rows-grid";
import type { useRows } from "./use-rows";

type RowsPanelProps = {
  table: TableInfo;
  rows: ReturnType<typeof useRows>;
  items: readonly TableRow[];
  total: number | null;
  sort: string;
  visibility: Visibility;
  isFiltered: boolean;
  openRowId: string | null;
  onSort: (sort: string) => void;
  onOpen: (id: string) => void;
  onClearFilters: () => void;
};

export function RowsPanel(props: RowsPanelProps) {
  const { table, rows, items, isFiltered, onClearFilters, ...grid } = props;
  if (rows.isPending) return <TableSkeleton rows={14} />;
  if (rows.isError && items.length === 0) {
    const clear = isFiltered && <Button onClick={onClearFilters}>Clear filters</Button>;
    return <ErrorState error={rows.error} onRetry={() => rows.refetch()} action={clear} />;
  }
  if (items.length === 0) {
    return isFiltered ? (
      <EmptyState
        icon={FilterX}
        title="No row passes these filters"
        action={<Button onClick={onClearFilters}>Clear filters</Button>}
      />
    ) : (
      <EmptyState icon={Rows3} title={`No rows in ${table.title} yet`}>
        Rows appear after the first sync. <TextLink href="/connections">Go to connections</TextLink>
      </EmptyState>
    );
  }
  return (
    <RowsGrid
      table={table}
      items={items}
      hasMore={rows.hasNextPage}
      isLoadingMore={rows.isFetchingNextPage}
      loadError={rows.isFetchNextPageError ? rows.error : null}
      isStale={rows.isPlaceholderData}
      onLoadMore={rows.fetchNextPage}
      {...grid}
    />
  );
}
