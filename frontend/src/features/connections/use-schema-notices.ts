"use client";

import { $api } from "@/lib/api/query";

const PAGE_SIZE = 50;

export function useSchemaNotices(connectionId: string, isOpenOnly: boolean) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/connections/{connection_id}/schema-notices",
    { params: { path: { connection_id: connectionId }, query: { limit: PAGE_SIZE, open: isOpenOnly } } },
    {
      pageParamName: "cursor",
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );
}
