"use client";

import { useQuery } from "@tanstack/react-query";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { isFinal } from "./job-status";
import { JobStatusBadge } from "./job-status-badge";
import { jobQueries } from "./queries";

const POLL_MS = 2_000;

export function LatestJob({ id }: { id: string }) {
  const job = useQuery({
    ...jobQueries.detail(id),
    refetchInterval: ({ state }) => (state.data && !isFinal(state.data.status) ? POLL_MS : false),
  });
  if (job.isPending) return <Skeleton className="h-5 w-20" />;
  return (
    <span className="flex items-center gap-2 whitespace-nowrap">
      {job.data && <JobStatusBadge status={job.data.status} />}
      <TextLink href={`/jobs/view?id=${id}`}>View job</TextLink>
    </span>
  );
}
