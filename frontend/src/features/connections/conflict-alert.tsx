import { Alert } from "@/components/ui/alert";
import { TextLink } from "@/components/ui/text-link";
import type { ApiError } from "@/lib/api/problem";

/** A refusal inside a dialog; when another job is in the way, with the way to that job. */
export function ConflictAlert({ problem }: { problem: ApiError }) {
  const job = problem.jobId;
  return (
    <Alert tone="danger" role="alert" title={problem.title}>
      {problem.message !== problem.title && <p>{problem.message}</p>}
      {job && <TextLink href={`/jobs/view?id=${job}`}>View that job</TextLink>}
    </Alert>
  );
}
