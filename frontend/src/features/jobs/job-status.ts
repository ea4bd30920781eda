import type { Tone } from "@/components/ui/badge";
import type { JobStatus } from "@/lib/api/models";

export const JOB_STATUSES = [
  "queued",
  "running",
  "succeeded",
  "partial",
  "failed",
  "cancelled",
] as const satisfies readonly JobStatus[];

export const JOB_STATUS: Record<JobStatus, { title: string; tone: Tone }> = {
  queued: { title: "Queued", tone: "neutral" },
  running: { title: "Running", tone: "info" },
  succeeded: { title: "Succeeded", tone: "success" },
  partial: { title: "Partial", tone: "warning" },
  failed: { title: "Failed", tone: "danger" },
  cancelled: { title: "Cancelled", tone: "neutral" },
};

export const isFinal = (status: JobStatus) => status !== "queued" && status !== "running";
