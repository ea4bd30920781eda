import type { ApiError } from "@/lib/api/problem";

const NAMES_A_JOB: readonly string[] = ["job_in_progress", "sync_under_way"];
const JOB_ID = /\bjob ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/i;

/** The job that is in the way, which these two problems name in their detail; null for every other problem. */
export function jobOfProblem(problem: ApiError): string | null {
  if (!NAMES_A_JOB.includes(problem.code)) return null;
  return JOB_ID.exec(problem.message)?.[1] ?? null;
}
