"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Card } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import { TextLink } from "@/components/ui/text-link";
import { isFinal } from "@/features/jobs/job-status";
import { JobStatusBadge } from "@/features/jobs/job-status-badge";
import { jobQueries } from "@/features/jobs/queries";
import { formatCount } from "@/lib/format/number";
import { useConnectionChanged } from "./use-connection-changed";

const POLL_MS = 1_500;

/** Shown while the latest job of a connection is under way; when it ends, the connection and its streams ask again. */
export function RunningJob({ connectionId, jobId }: { connectionId: string; jobId: string }) {
  const changed = useConnectionChanged();
  const { data: job } = useQuery({
    ...jobQueries.detail(jobId),
    refetchInterval: ({ state }) => (state.data && !isFinal(state.data.status) ? POLL_MS : false),
  });
  const isUnderWay = job !== undefined && !isFinal(job.status);
  const wasUnderWay = useRef(false);
  useEffect(() => {
    if (wasUnderWay.current && !isUnderWay) changed(connectionId);
    wasUnderWay.current = isUnderWay;
  }, [isUnderWay, changed, connectionId]);

  if (!isUnderWay) return null;
  return (
    <Card className="grid gap-2.5 p-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <JobStatusBadge status={job.status} />
        <p className="min-w-0 flex-1 truncate">{job.progress?.message ?? "Waiting for a worker."}</p>
        {job.progress && <p className="text-data tabular-nums">{formatCount(job.progress.done)} rows</p>}
        <TextLink href={`/jobs/view?id=${job.id}`}>Follow the job</TextLink>
      </div>
      <Progress label={job.title} value={job.progress?.done ?? 0} max={job.progress?.total ?? null} />
    </Card>
  );
}
