import { OUTCOME } from "@/features/audit/outcome";
import { OutcomeBadge } from "@/features/audit/outcome-badge";
import { JobStatusBadge } from "@/features/jobs/job-status-badge";
import type { AuditOutcome } from "@/lib/api/models";

const isOutcome = (status: string): status is AuditOutcome => status in OUTCOME;

export function EntryStatus({ source, status }: { source: string; status: string | null }) {
  if (status === null) return null;
  if (source === "audit_event" && isOutcome(status)) return <OutcomeBadge outcome={status} />;
  // "running" is what began here, not what goes on now: it must not turn as if it did.
  if (status === "running" || status === "queued") return null;
  return <JobStatusBadge status={status} />;
}
