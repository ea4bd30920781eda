"use client";

import { $api } from "@/lib/api/query";
import type { CallStatus } from "./api-call-status";

const PAGE_SIZE = 50;

export function useApiCalls(connectionId: string, filter: { status: CallStatus | null; job: string | null }) {
  const { status, job } = filter;
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/connections/{connection_id}/api-calls",
    {
      params: {
        path: { connection_id: connectionId },
        query: { limit: PAGE_SIZE, ...(status && { status }), ...(job && { job_id: job }) },
      },
    },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );
}
