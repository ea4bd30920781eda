"use client";

import { $api } from "@/lib/api/query";

const PAGE_SIZE = 50;

export function useWebhooks(connectionId: string) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/connections/{connection_id}/webhooks",
    { params: { path: { connection_id: connectionId }, query: { limit: PAGE_SIZE } } },
    {
      pageParamName: "cursor",
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );
}
