import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { Job } from "@/lib/api/models";
import { formatDuration } from "@/lib/format/time";

export function JobFacts({ job }: { job: Job }) {
  const connectionId = job.params.connection_id;
  return (
    <Card className="grid gap-3 p-4">
      <h2 className="font-medium">Details</h2>
      <DefinitionList>
        <Definition term="Kind">
          <code className="font-mono text-xs">{job.kind}</code>
        </Definition>
        {typeof connectionId === "string" && (
          <Definition term="Connection">
            <TextLink href={`/connections/view?id=${connectionId}`}>View connection</TextLink>
          </Definition>
        )}
        {job.kind === "core.evidence" && typeof job.params.job_id === "string" && (
          <Definition term="Proves">
            <TextLink href={`/jobs/view?id=${job.params.job_id}`}>View the sync</TextLink>
          </Definition>
        )}
        <Definition term="Requested by">{job.requested_by.label}</Definition>
        <Definition term="Created">
          <Moment at={job.created_at} />
        </Definition>
        {job.started_at && (
          <Definition term="Started">
            <Moment at={job.started_at} />
          </Definition>
        )}
        {job.finished_at && (
          <Definition term="Finished">
            <Moment at={job.finished_at} />
          </Definition>
        )}
        {job.started_at && job.finished_at && (
          <Definition term="Took">{formatDuration(job.started_at, job.finished_at)}</Definition>
        )}
        <Definition term="Attempts">
          {job.attempts} of {job.max_attempts}
        </Definition>
        {job.replay_of && (
          <Definition term="Run again from">
            <TextLink href={`/jobs/view?id=${job.replay_of}`}>View that job</TextLink>
          </Definition>
        )}
        <Definition term="Correlation id">
          <span className="flex items-start gap-1 font-mono text-xs">
            <span className="break-all">{job.correlation_id}</span>
            <CopyButton value={job.correlation_id} label="Copy correlation id" />
          </span>
          <TextLink href={`/timeline?id=${job.correlation_id}`}>View timeline</TextLink>
        </Definition>
      </DefinitionList>
    </Card>
  );
}
