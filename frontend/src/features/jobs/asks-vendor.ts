import type { Job } from "@/lib/api/models";

const KINDS: readonly string[] = ["core.sync", "core.refresh"];

/** Only such a job has requests to show and something to prove: a rebuild from raw records asks nobody. */
export const asksVendor = (job: Job) => KINDS.includes(job.kind);
