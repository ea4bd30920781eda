import { $api } from "@/lib/api/query";

const byId = (id: string) => ({ params: { path: { connection_id: id } } });

export const connectionQueries = {
  providers: () => $api.queryOptions("get", "/api/v1/connections/providers", {}, { staleTime: 5 * 60_000 }),
  list: () => $api.queryOptions("get", "/api/v1/connections"),
  detail: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}", byId(id)),
  cursors: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}/cursors", byId(id)),
  budget: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}/budget", byId(id)),
  apiCall: (id: string, call: string) =>
    $api.queryOptions(
      "get",
      "/api/v1/connections/{connection_id}/api-calls/{call_id}",
      { params: { path: { connection_id: id, call_id: call } } },
      // What was sent and answered is history: it never changes.
      { staleTime: Number.POSITIVE_INFINITY },
    ),
  streams: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}/streams", byId(id)),
};
