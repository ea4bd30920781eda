"use client";

import { $api } from "@/lib/api/query";

const PATH = "/api/v1/connections/{connection_id}/streams/{stream}/records";
const PAGE_SIZE = 50;

export type StreamAt = { connectionId: string; stream: string };

const at = ({ connectionId, stream }: StreamAt) => ({ connection_id: connectionId, stream });

export function useRecords(where: StreamAt, sourceId: string) {
  return $api.useInfiniteQuery(
    "get",
    PATH,
    { params: { path: at(where), query: { limit: PAGE_SIZE, ...(sourceId && { source_id: sourceId }) } } },
    { pageParamName: "cursor", initialPageParam: null, getNextPageParam: (page) => page.next_cursor ?? undefined },
  );
}

export const recordQuery = (where: StreamAt, id: string) =>
  $api.queryOptions("get", `${PATH}/{record_id}`, { params: { path: { ...at(where), record_id: id } } });
