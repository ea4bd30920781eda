"use client";

import { parseAsArrayOf, parseAsNativeArrayOf, parseAsString, useQueryStates } from "nuqs";
import { useMemo } from "react";
import type { SavedView } from "@/lib/api/models";
import { decodeFilter, encodeFilter, type Filter } from "./filter";

const PARSERS = {
  filter: parseAsNativeArrayOf(parseAsString),
  sort: parseAsString,
  row: parseAsString,
  columns: parseAsArrayOf(parseAsString),
  view: parseAsString,
};

/** Filters, order and the open row live in the address, so that what one person sees can be sent to another. */
export function useExplorerState(defaultSort: string) {
  const [state, setState] = useQueryStates(PARSERS, { history: "push" });
  const filters = useMemo(() => state.filter.map(decodeFilter).filter((one) => one !== null), [state.filter]);
  const encoded = useMemo(() => filters.map(encodeFilter), [filters]);
  const orNothing = (sort: string | null) => (sort === defaultSort ? null : sort);
  return {
    filters,
    encoded,
    sort: state.sort ?? defaultSort,
    row: state.row,
    /** Null unless a view, or somebody's link, chose them: then they are not this person's own choice. */
    columns: state.columns,
    viewId: state.view,
    setFilters: (next: readonly Filter[]) => setState({ filter: next.map(encodeFilter) }),
    setSort: (next: string) => setState({ sort: orNothing(next) }, { history: "replace" }),
    setColumns: (next: string[] | null) => setState({ columns: next }, { history: "replace" }),
    openRow: (id: string | null, history: "push" | "replace" = "push") => setState({ row: id }, { history }),
    openView: (view: SavedView, defaultColumns: string[]) =>
      setState({
        view: view.id,
        filter: view.filters,
        sort: orNothing(view.sort),
        columns: view.columns ?? defaultColumns,
        row: null,
      }),
    nameView: (id: string, columns: string[]) => setState({ view: id, columns }, { history: "replace" }),
    leaveView: () => setState({ view: null, filter: null, sort: null, columns: null, row: null }),
  };
}

export type ExplorerState = ReturnType<typeof useExplorerState>;
