import { $api } from "@/lib/api/query";

const FACTS_STALE_MS = 60_000;

export const auditQueries = {
  detail: (id: string) =>
    $api.queryOptions("get", "/api/v1/audit-events/{event_id}", { params: { path: { event_id: id } } }),
  /** Only on demand: it reads every event of the seals it checks. */
  verification: () =>
    $api.queryOptions(
      "get",
      "/api/v1/audit-events/verify",
      {},
      { enabled: false, retry: false, staleTime: Number.POSITIVE_INFINITY },
    ),
  retention: () => $api.queryOptions("get", "/api/v1/audit-events/retention", {}, { staleTime: FACTS_STALE_MS }),
  key: () => $api.queryOptions("get", "/api/v1/evidence/key", {}, { staleTime: FACTS_STALE_MS }),
};
