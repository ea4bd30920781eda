"use client";

import { RotateCw, Waypoints } from "lucide-react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { sourceTitle } from "./entry-text";
import { formatGap, markEntries } from "./marks";
import { TimelineItem } from "./timeline-item";
import { useTimeline } from "./use-timeline";

export function TimelineView({ id }: { id: string }) {
  const timeline = useTimeline(id);
  if (timeline.isPending) return <TableSkeleton rows={8} />;
  if (timeline.isError && !timeline.data) {
    return <ErrorState error={timeline.error} onRetry={() => timeline.refetch()} />;
  }
  const entries = timeline.data.pages.flatMap((page) => page.items);
  const hidden = timeline.data.pages[0]?.hidden ?? [];
  const [first, last] = [entries[0], entries.at(-1)];
  return (
    <div className="grid gap-3">
      {hidden.length > 0 && (
        <Alert tone="info" title="You do not see everything">
          {`Left out, as your roles do not include them: ${hidden.map((source) => `${sourceTitle(source).toLowerCase()}s`).join(", ")}.`}
        </Alert>
      )}
      {first && last ? (
        <>
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 text-muted-foreground text-xs">
            <p role="status" className="tabular-nums">
              {formatCount(entries.length)} {plural(entries.length, "entry", "entries")} over{" "}
              {formatGap(first.at, last.at)}
              {timeline.hasNextPage && ", and there are more"}
            </p>
            <Button size="sm" variant="ghost" disabled={timeline.isFetching} onClick={() => timeline.refetch()}>
              {timeline.isFetching ? <Spinner /> : <RotateCw aria-hidden />}
              Refresh
            </Button>
          </div>
          <ol aria-label="Timeline" className="overflow-hidden rounded-lg border bg-card">
            {markEntries(entries).map((marked) => (
              <TimelineItem key={marked.key} marked={marked} />
            ))}
          </ol>
        </>
      ) : (
        <EmptyState
          icon={Waypoints}
          title="Nothing is on record with this id"
          action={<Button onClick={() => timeline.refetch()}>Look again</Button>}
        >
          A request that only read something leaves no trace, and one that was just made may take a moment.
        </EmptyState>
      )}
      {timeline.hasNextPage && (
        <Button
          className="justify-self-center"
          disabled={timeline.isFetchingNextPage}
          onClick={() => timeline.fetchNextPage()}
        >
          {timeline.isFetchingNextPage && <Spinner />}
          Load more
        </Button>
      )}
    </div>
  );
}
