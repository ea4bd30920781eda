"use client";

import { $api } from "@/lib/api/query";
import { accountQueries } from "./queries";

export function useSessions() {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/auth/sessions",
    { params: { query: { limit: accountQueries.pageSize } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );
}
