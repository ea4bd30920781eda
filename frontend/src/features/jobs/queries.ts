import { $api } from "@/lib/api/query";

const PAGE_SIZE = 50;

export const jobQueries = {
  detail: (id: string) => $api.queryOptions("get", "/api/v1/jobs/{job_id}", { params: { path: { job_id: id } } }),
  files: (id: string) =>
    $api.queryOptions("get", "/api/v1/jobs/{job_id}/artifacts", { params: { path: { job_id: id } } }),
  /** Prefix of every list of jobs, whatever its filter. */
  lists: () => ["get", "/api/v1/jobs"] as const,
  pageSize: PAGE_SIZE,
};
