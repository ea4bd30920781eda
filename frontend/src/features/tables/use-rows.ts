"use client";

import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/lib/api/query";

const PAGE_SIZE = 100;

export function useRows(table: string, sort: string, filter: string[]) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/tables/{table}",
    { params: { path: { table }, query: { limit: PAGE_SIZE, sort, ...(filter.length > 0 && { filter }) } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    },
  );
}
