import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { Job } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { formatDuration } from "@/lib/format/time";
import { JobStatusBadge } from "./job-status-badge";

function summary(job: Job): string {
  if (job.error) return job.error.detail;
  const [reason] = job.reasons;
  if (reason) return reason.detail;
  // What it did last is news while it runs, and of no use once all went well.
  return job.status === "succeeded" ? "" : (job.progress?.message ?? "");
}

export function JobsTable({ jobs }: { jobs: readonly Job[] }) {
  return (
    <DataTable label="Jobs">
      <thead>
        <tr>
          <HeadCell>Job</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell numeric>Done</HeadCell>
          <HeadCell>Requested by</HeadCell>
          <HeadCell>Created</HeadCell>
          <HeadCell numeric>Took</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {jobs.map((job) => (
          <tr key={job.id} className="hover:bg-accent/50">
            <Cell className="min-w-56">
              <TextLink href={`/jobs/view?id=${job.id}`} className="font-medium">
                {job.title}
              </TextLink>
              <p className="max-w-[60vw] truncate md:max-w-md text-muted-foreground" title={summary(job)}>
                {summary(job) || job.kind}
              </p>
            </Cell>
            <Cell>
              <JobStatusBadge status={job.status} />
            </Cell>
            <Cell numeric>{job.progress ? formatCount(job.progress.done) : "–"}</Cell>
            <Cell className="whitespace-nowrap">{job.requested_by.label}</Cell>
            <Cell>
              <Moment at={job.created_at} ago />
            </Cell>
            <Cell numeric className="whitespace-nowrap">
              {job.started_at ? formatDuration(job.started_at, job.finished_at ?? Date.now()) : "–"}
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
