import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import { JobStatusBadge } from "@/features/jobs/job-status-badge";
import { JobTimelineLink } from "@/features/timeline/job-timeline-link";
import type { RowDetail } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";

export function RowLineage({ lineage }: { lineage: RowDetail["lineage"] }) {
  const { connection, run, job } = lineage;
  return (
    <DefinitionList>
      <Definition term="Connection">
        <TextLink href={`/connections/view?id=${connection.id}`}>{connection.label}</TextLink>{" "}
        <span className="text-muted-foreground">{humanize(connection.kind)}</span>
      </Definition>
      {run && (
        <>
          <Definition term="Run">
            <span className="flex flex-wrap items-center gap-2">
              {humanize(run.stream)}, {run.mode}
              <JobStatusBadge status={run.status} />
            </span>
          </Definition>
          <Definition term="Run started">
            <Moment at={run.started_at} />
          </Definition>
          {run.finished_at && (
            <Definition term="Run finished">
              <Moment at={run.finished_at} />
            </Definition>
          )}
        </>
      )}
      {job && (
        <Definition term="Job">
          <span className="flex flex-wrap items-center gap-2">
            <TextLink href={`/jobs/view?id=${job.id}`}>View job</TextLink>
            <JobStatusBadge status={job.status} />
            <JobTimelineLink jobId={job.id} />
          </span>
        </Definition>
      )}
      <Definition term="Dedupe key">
        <span className="flex items-start gap-1">
          <code className="break-all font-mono text-xs">{lineage.dedupe_key}</code>
          <CopyButton value={lineage.dedupe_key} label="Copy dedupe key" />
        </span>
      </Definition>
    </DefinitionList>
  );
}
