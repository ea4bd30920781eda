import { Alert } from "@/components/ui/alert";
import type { Job } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { inPlanWords } from "@/lib/plan-words";

/** Why a job did not simply succeed: an error for the whole, or one reason for each stream that fell short. */
export function JobOutcome({ job }: { job: Job }) {
  if (!job.error && job.reasons.length === 0) return null;
  return (
    <div className="grid gap-2">
      {job.error && (
        <Alert tone="danger" title={humanize(job.error.code)}>
          {inPlanWords(job.error.detail)}
        </Alert>
      )}
      {job.reasons.map((reason) => (
        <Alert
          key={`${reason.stream} ${reason.code}`}
          tone="warning"
          title={`${humanize(reason.stream)}: ${humanize(reason.code).toLowerCase()}`}
        >
          {inPlanWords(reason.detail)}
        </Alert>
      ))}
    </div>
  );
}
