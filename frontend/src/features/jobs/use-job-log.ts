"use client";

import type { JobLogPage } from "@/lib/api/models";
import { $api } from "@/lib/api/query";

const PAGE_SIZE = 200;

/** The same address also gives the log as text, which nobody asks for here. */
const asPage = (answer: JobLogPage | string): JobLogPage =>
  typeof answer === "string" ? { items: [], next_cursor: null } : answer;

/** The log as it is kept, from its first line on. */
export function useJobLog(id: string) {
  return $api.useInfiniteQuery(
    "get",
    "/api/v1/jobs/{job_id}/log",
    { params: { path: { job_id: id }, query: { limit: PAGE_SIZE } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => asPage(page).next_cursor ?? undefined,
      select: ({ pages }) => pages.flatMap((page) => asPage(page).items),
    },
  );
}
