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
import { JobLog } from "./job-log";
import { JobOutcome } from "./job-outcome";
import { JobProgress } from "./job-progress";
import { JobRequestsLink } from "./job-requests-link";
import { isFinal } from "./job-status";
import { JobStatusBadge } from "./job-status-badge";
import { JobStreams } from "./job-streams";
import { jobQueries } from "./queries";
import { useJobStream } from "./use-job-stream";

const POLL_MS = 3_000;

export function JobView({ id }: { id: string }) {
  const mayCancel = useMay("jobs.cancel");
  const query = useQuery(jobQueries.detail(id));
  const stream = useJobStream(id, query.isSuccess);
  // With the live line lost, the page must still move: it asks instead of listening.
  const isPolling = stream.phase === "lost" && query.data !== undefined && !isFinal(query.data.status);
  useQuery({ ...jobQueries.detail(id), enabled: isPolling, refetchInterval: isPolling ? POLL_MS : false });

  if (query.isPending) return <PageSkeleton />;
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
            {mayCancel && <CancelJobButton job={job} />}
          </>
        }
      />
      <JobOutcome job={job} />
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="grid min-w-0 gap-5">
          <JobProgress job={job} />
          <JobStreams streams={job.progress?.streams ?? null} />
          <JobLog lines={stream.logs} phase={stream.phase} onReconnect={stream.reconnect} />
        </div>
        <div className="grid min-w-0 gap-5">
          <JobFacts job={job} />
          {asksVendor(job) && isFinal(job.status) && <EvidenceCard jobId={job.id} />}
        </div>
      </div>
    </div>
  );
}
