"use client";

import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { connectionQueries } from "./queries";
import { StreamsTable } from "./streams-table";

export function StreamList({ connectionId }: { connectionId: string }) {
  const streams = useQuery(connectionQueries.streams(connectionId));
  return (
    <section aria-labelledby="streams" className="grid min-w-0 gap-3">
      <h2 id="streams" className="font-medium">
        Streams
      </h2>
      {/* About as high as the streams will be: what is below does not jump. */}
      {streams.isPending && <TableSkeleton rows={13} />}
      {streams.isError && !streams.data && <ErrorState error={streams.error} onRetry={() => streams.refetch()} />}
      {streams.data && <StreamsTable connectionId={connectionId} streams={streams.data.items} />}
    </section>
  );
}
