"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { BackLink } from "@/components/ui/back-link";
import { PageHeader } from "@/components/ui/page-header";
import type { TableInfo } from "@/lib/api/models";
import { ColumnsMenu } from "./columns-menu";
import { FilterBar } from "./filter-bar";
import { tableQueries } from "./queries";
import { RowDrawer } from "./row-drawer";
import { RowsFooter } from "./rows-footer";
import { RowsPanel } from "./rows-panel";
import { useColumnVisibility } from "./use-column-visibility";
import { useExplorerState } from "./use-explorer-state";
import { useRows } from "./use-rows";

export function Explorer({ table }: { table: TableInfo }) {
  const state = useExplorerState(table.default_sort);
  const columns = useColumnVisibility(table);
  const rows = useRows(table.name, state.sort, state.encoded);
  const total = useQuery(tableQueries.total(table.name, state.encoded));
  const items = useMemo(() => rows.data?.pages.flatMap((page) => page.items) ?? [], [rows.data]);
  const count = total.data?.total ?? null;

  return (
    <div className="flex h-full min-h-96 flex-col gap-3">
      <PageHeader
        title={table.title}
        description={table.description}
        before={<BackLink href="/tables">Tables</BackLink>}
      />
      <div className="flex flex-wrap items-start gap-2">
        <FilterBar columns={table.columns} filters={state.filters} onChange={state.setFilters} />
        <ColumnsMenu columns={table.columns} {...columns} />
      </div>
      <RowsPanel
        table={table}
        rows={rows}
        items={items}
        total={count}
        sort={state.sort}
        visibility={columns.visibility}
        isFiltered={state.filters.length > 0}
        openRowId={state.row}
        onSort={state.setSort}
        onOpen={(id) => state.openRow(id)}
        onClearFilters={() => state.setFilters([])}
      />
      <RowsFooter loaded={items.length} total={count} isFetching={rows.isFetching} />
      {state.row && (
        <RowDrawer
          table={table}
          id={state.row}
          rows={items}
          onMove={(id) => state.openRow(id, "replace")}
          onClose={() => state.openRow(null)}
        />
      )}
    </div>
  );
}
