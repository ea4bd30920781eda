"use client";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { BackLink } from "@/components/ui/back-link";
import { PageHeader } from "@/components/ui/page-header";
import type { TableInfo } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { shownNames } from "./column-visibility";
import { ColumnsMenu } from "./columns-menu";
import { ExportMenu } from "./export-menu";
import { FilterBar } from "./filter-bar";
import { tableQueries } from "./queries";
import { RowDrawer } from "./row-drawer";
import { RowsFooter } from "./rows-footer";
import { RowsPanel } from "./rows-panel";
import { TotalsBar } from "./totals-bar";
import { useColumnVisibility } from "./use-column-visibility";
import { useExplorerState } from "./use-explorer-state";
import { useOpenedView } from "./use-opened-view";
import { useRows } from "./use-rows";
import { ViewChartCard } from "./view-chart-card";
import { ViewsMenu } from "./views-menu";

export function Explorer({ table }: { table: TableInfo }) {
  const state = useExplorerState(table.default_sort);
  const columns = useColumnVisibility(table, state.columns, state.setColumns);
  const shown = shownNames(table.columns, columns.visibility);
  const view = useOpenedView(table.name, state.viewId);
  const rows = useRows(table.name, state.sort, state.encoded);
  const total = useQuery(tableQueries.total(table.name, state.encoded));
  const items = useMemo(() => rows.data?.pages.flatMap((page) => page.items) ?? [], [rows.data]);
  const count = total.data?.total ?? null;
  const { opened } = view;

  return (
    <div className={cn("flex flex-col gap-3", !opened?.chart && "h-full min-h-96")}>
      <PageHeader
        title={table.title}
        description={table.description}
        before={<BackLink href="/tables">Tables</BackLink>}
      />
      <div className="flex flex-wrap items-start gap-2">
        <FilterBar columns={table.columns} filters={state.filters} onChange={state.setFilters} />
        <div className="flex flex-wrap gap-2">
          <ViewsMenu table={table} state={state} view={view} shown={shown} />
          <ColumnsMenu columns={table.columns} {...columns} />
          <ExportMenu table={table} filter={state.encoded} sort={state.sort} columns={shown} />
        </div>
      </div>
      {opened?.chart && (
        <ViewChartCard
          key={`${opened.id} ${opened.version}`}
          table={table}
          name={opened.name}
          chart={opened.chart}
          filter={state.encoded}
        />
      )}
      {/* Alone the rows fill the window; below a chart they keep a height of their own, and the page scrolls. */}
      <div className={cn("flex flex-col", opened?.chart ? "h-[max(28rem,60dvh)] shrink-0" : "min-h-0 flex-1")}>
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
      </div>
      {items.length > 0 && <TotalsBar table={table} filter={state.encoded} shown={shown} />}
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
