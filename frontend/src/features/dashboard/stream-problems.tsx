"use client";

import { useQuery } from "@tanstack/react-query";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { connectionQueries } from "@/features/connections/queries";
import { JobStatusBadge } from "@/features/jobs/job-status-badge";
import type { Stream } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";

const POLL_MS = 15_000;

/** Anything but a complete run: failed, stopped half way, or fewer rows landed than the vendor counts. */
const isTroubled = ({ last_run: run }: Stream): boolean =>
  run !== null &&
  (run.status === "failed" ||
    run.status === "partial" ||
    (run.status === "succeeded" && run.landed !== null && run.expected !== null && run.landed < run.expected));

export function StreamProblems({ connectionId }: { connectionId: string }) {
  const streams = useQuery({ ...connectionQueries.streams(connectionId), refetchInterval: POLL_MS });
  if (streams.isPending) return <Skeleton className="h-5 w-24" />;
  if (streams.isError) return <span className="text-danger">{toApiError(streams.error).message}</span>;
  const all = streams.data.items;
  const troubled = all.filter(isTroubled);
  const ran = all.filter((stream) => stream.last_run !== null);
  if (troubled.length === 0) {
    return ran.length === 0 ? (
      <span className="text-muted-foreground">None ran yet</span>
    ) : (
      `${formatCount(ran.length)} of ${formatCount(all.length)} ran, no problems`
    );
  }
  return (
    <div className="grid gap-1.5">
      <p className="font-medium text-warning">
        {formatCount(troubled.length)} {plural(troubled.length, "stream has", "streams have")} problems
      </p>
      <ul className="grid gap-1">
        {troubled.map(({ name, title, last_run: run }) => (
          <li key={name} className="flex flex-wrap items-center gap-2">
            {title}
            {run && <JobStatusBadge status={run.status} />}
            {run?.reason && <span className="text-muted-foreground text-xs">{run.reason.detail}</span>}
          </li>
        ))}
      </ul>
      <TextLink href={`/connections/view?id=${connectionId}`}>View streams</TextLink>
    </div>
  );
}
