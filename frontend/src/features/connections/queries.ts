import { $api } from "@/lib/api/query";

const byId = (id: string) => ({ params: { path: { connection_id: id } } });

export const connectionQueries = {
  providers: () => $api.queryOptions("get", "/api/v1/connections/providers", {}, { staleTime: 5 * 60_000 }),
  list: () => $api.queryOptions("get", "/api/v1/connections"),
  detail: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}", byId(id)),
  streams: (id: string) => $api.queryOptions("get", "/api/v1/connections/{connection_id}/streams", byId(id)),
};
