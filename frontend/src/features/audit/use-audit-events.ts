"use client";

import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/lib/api/query";
import { type AuditFilters, toQuery } from "./filters";

const PAGE_SIZE = 50;

export function useAuditEvents(filters: AuditFilters) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/audit-events",
    { params: { query: { limit: PAGE_SIZE, ...toQuery(filters) } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      placeholderData: keepPreviousData,
    },
  );
}
