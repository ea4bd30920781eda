"use client";

import { $api } from "@/lib/api/query";

const PAGE_SIZE = 200;

export function useTimeline(correlationId: string) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/timeline/{correlation_id}",
    { params: { path: { correlation_id: correlationId }, query: { limit: PAGE_SIZE } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );
}
