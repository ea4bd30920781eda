"use client";

import { parseAsNativeArrayOf, parseAsString, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { decodeFilter, encodeFilter, type Filter } from "./filter";

const PARSERS = { filter: parseAsNativeArrayOf(parseAsString), sort: parseAsString, row: parseAsString };

/** Filters, order and the open row live in the address, so that what one person sees can be sent to another. */
export function useExplorerState(defaultSort: string) {
  const [state, setState] = useQueryStates(PARSERS, { history: "push" });
  const filters = useMemo(() => state.filter.map(decodeFilter).filter((one) => one !== null), [state.filter]);
  const encoded = useMemo(() => filters.map(encodeFilter), [filters]);
  return {
    filters,
    encoded,
    sort: state.sort ?? defaultSort,
    row: state.row,
    setFilters: (next: readonly Filter[]) => setState({ filter: next.map(encodeFilter) }),
    setSort: (next: string) => setState({ sort: next === defaultSort ? null : next }, { history: "replace" }),
    openRow: (id: string | null, history: "push" | "replace" = "push") => setState({ row: id }, { history }),
  };
}
