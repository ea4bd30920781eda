"use client";

import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { Skeleton } from "@/components/ui/skeleton";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { DownloadLogButton } from "./download-log-button";
import { JobLogFrame } from "./job-log-frame";
import { JobLogLine } from "./job-log-line";
import { useJobLog } from "./use-job-log";

/** The log of a finished job, from its first line on. */
export function KeptJobLog({ jobId }: { jobId: string }) {
  const log = useJobLog(jobId);
  const lines = log.data ?? [];
  const hasLines = lines.length > 0;
  return (
    <JobLogFrame
      beside={
        hasLines && (
          <div className="flex flex-wrap items-center gap-3">
            <p role="status" className="text-muted-foreground text-xs tabular-nums">
              {formatCount(lines.length)} {plural(lines.length, "line")}
              {log.hasNextPage && ", and there are more"}
            </p>
            <DownloadLogButton jobId={jobId} />
          </div>
        )
      }
    >
      <div className="grid gap-3 p-4">
        {log.isPending && (
          <div role="status" aria-label="Loading the log">
            <Skeleton className="h-40" />
          </div>
        )}
        {log.isError && !hasLines && <ErrorState error={log.error} onRetry={() => log.refetch()} />}
        {log.isSuccess && !hasLines && (
          <p className="text-data text-muted-foreground">
            No lines: this job wrote none, or it ran a while ago. Old lines are deleted after a while.
          </p>
        )}
        {hasLines && (
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
          <section aria-label="Job log" tabIndex={0} className="max-h-96 overflow-y-auto font-mono text-xs leading-5">
            {lines.map((line) => (
              <JobLogLine key={line.seq} line={line} />
            ))}
          </section>
        )}
        {log.isFetchNextPageError && <ErrorState error={log.error} onRetry={() => log.fetchNextPage()} />}
        {!log.isFetchNextPageError && <LoadMore pages={log} />}
        {hasLines && <p className="text-muted-foreground text-xs">Old lines are deleted after a while.</p>}
      </div>
    </JobLogFrame>
  );
}
