import { $api } from "@/lib/api/query";

export const evidenceQueries = {
  of: (jobId: string) =>
    $api.queryOptions("get", "/api/v1/jobs/{job_id}/evidence", { params: { path: { job_id: jobId } } }),
  key: () => $api.queryOptions("get", "/api/v1/evidence/key", {}, { staleTime: 5 * 60_000 }),
};
