"use client";

import { useQuery } from "@tanstack/react-query";
import { BackLink } from "@/components/ui/back-link";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { useMay } from "@/features/shell/use-may";
import { asksVendor } from "./asks-vendor";
import { CancelJobButton } from "./cancel-job-button";
import { EvidenceCard } from "./evidence-card";
import { JobFacts } from "./job-facts";
import { JobFiles } from "./job-files";
import { JobLog } from "./job-log";
import { JobOutcome } from "./job-outcome";
import { JobProgress } from "./job-progress";
import { JobRequestsLink } from "./job-requests-link";
import { isFinal } from "./job-status";
import { JobStatusBadge } from "./job-status-badge";
import { JobStreams } from "./job-streams";
import { jobQueries } from "./queries";
import { RunAgainButton } from "./run-again-button";

export function JobView({ id }: { id: string }) {
  const mayCancel = useMay("jobs.cancel");
  const query = useQuery(jobQueries.detail(id));
  if (query.isPending) return <PageSkeleton title="Job" />;
  if (query.isError && !query.data) {
    return (
      <div className="grid gap-5">
        <PageHeader title="Job" before={<BackLink href="/jobs">Jobs</BackLink>} />
        <ErrorState error={query.error} onRetry={() => query.refetch()} />
      </div>
    );
  }
  const job = query.data;
  return (
    <div className="grid gap-5">
      <PageHeader
        title={job.title}
        before={<BackLink href="/jobs">Jobs</BackLink>}
        beside={<JobStatusBadge status={job.status} />}
        actions={
          <>
            {asksVendor(job) && <JobRequestsLink job={job} />}
            <RunAgainButton job={job} />
            {mayCancel && <CancelJobButton job={job} />}
          </>
        }
      />
      <JobOutcome job={job} />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid min-w-0 gap-5">
          <JobProgress job={job} />
          <JobStreams streams={job.progress?.streams ?? null} />
          {isFinal(job.status) && <JobFiles jobId={job.id} />}
          <JobLog job={job} />
        </div>
        <div className="grid min-w-0 gap-5">
          <JobFacts job={job} />
          {asksVendor(job) && isFinal(job.status) && <EvidenceCard jobId={job.id} />}
        </div>
      </div>
    </div>
  );
}
