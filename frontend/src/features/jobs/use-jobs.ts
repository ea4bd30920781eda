"use client";

import type { JobStatus } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { isFinal } from "./job-status";
import { jobQueries } from "./queries";

const BUSY_MS = 2_000;
const IDLE_MS = 10_000;

export function useJobs(status: JobStatus | null) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/jobs",
    { params: { query: { limit: jobQueries.pageSize, ...(status && { status }) } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
      refetchInterval: ({ state }) => {
        const jobs = state.data?.pages.flatMap((page) => page.items) ?? [];
        return jobs.some((job) => !isFinal(job.status)) ? BUSY_MS : IDLE_MS;
      },
    },
  );
}
