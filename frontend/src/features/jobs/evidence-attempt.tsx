import { Alert } from "@/components/ui/alert";
import { Spinner } from "@/components/ui/spinner";
import { TextLink } from "@/components/ui/text-link";
import { useMay } from "@/features/shell/use-may";
import type { Evidence } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { MakeEvidenceButton } from "./make-evidence-button";

/** As long as there is no pack: make one, see it being made, or see why that failed. */
export function EvidenceAttempt({ jobId, evidence }: { jobId: string; evidence: Evidence }) {
  const mayCreate = useMay("evidence.create");
  const maker = evidence.job_id && <TextLink href={`/jobs/view?id=${evidence.job_id}`}>View the job</TextLink>;
  if (evidence.state === "preparing") {
    return (
      <p role="status" className="flex flex-wrap items-center gap-2 text-data">
        <Spinner />
        The pack is being made. {maker}
      </p>
    );
  }
  return (
    <>
      {evidence.state === "failed" ? (
        <Alert tone="danger" title={evidence.error ? humanize(evidence.error.code) : "The pack could not be made"}>
          {evidence.error && <p>{evidence.error.detail}</p>}
          {maker}
        </Alert>
      ) : (
        <p className="text-data text-muted-foreground">
          A pack holds what this job read and wrote, hashed and signed, so that an auditor can check it without us.
        </p>
      )}
      {mayCreate ? (
        <MakeEvidenceButton jobId={jobId} isAgain={evidence.state === "failed"} />
      ) : (
        <p className="text-data text-muted-foreground">Ask a member who may make evidence packs for one.</p>
      )}
    </>
  );
}
