"use client";

import { useQuery } from "@tanstack/react-query";
import { Plug } from "lucide-react";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Moment } from "@/components/ui/moment";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { ConnectionStatusBadge } from "@/features/connections/connection-status-badge";
import { connectionQueries } from "@/features/connections/queries";
import { LatestJob } from "@/features/jobs/latest-job";
import { useMay } from "@/features/shell/use-may";
import { humanize } from "@/lib/format/words";
import { StreamProblems } from "./stream-problems";

const POLL_MS = 15_000;

export function SyncHealth() {
  const maySeeJobs = useMay("jobs.read");
  const connections = useQuery({ ...connectionQueries.list(), refetchInterval: POLL_MS });
  if (connections.isPending) {
    return (
      // As tall as the table with one connection, which is what most have.
      <div role="status" aria-label="Loading the connections">
        <Skeleton className="h-23.5 rounded-lg" />
      </div>
    );
  }
  if (connections.isError) return <ErrorState error={connections.error} onRetry={() => connections.refetch()} />;
  if (connections.data.items.length === 0) {
    return (
      <EmptyState icon={Plug} title="No connections yet">
        <TextLink href="/connections">Connect a vendor account</TextLink> to keep its data here.
      </EmptyState>
    );
  }
  return (
    <DataTable label="Connections and their syncs">
      <thead>
        <tr>
          <HeadCell>Connection</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell>Last sync</HeadCell>
          <HeadCell>Streams</HeadCell>
          {maySeeJobs && <HeadCell>Latest job</HeadCell>}
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {connections.data.items.map((connection) => (
          <tr key={connection.id} className="hover:bg-accent/50">
            <Cell className="min-w-44">
              <TextLink href={`/connections/view?id=${connection.id}`} className="font-medium">
                {connection.label}
              </TextLink>
              <p className="text-muted-foreground">{humanize(connection.kind)}</p>
            </Cell>
            <Cell className="min-w-36">
              <ConnectionStatusBadge status={connection.status} />
              {connection.last_error && (
                <p className="mt-1 max-w-xs text-danger text-xs">{connection.last_error.detail}</p>
              )}
            </Cell>
            <Cell>
              <Moment at={connection.last_synced_at} ago />
            </Cell>
            <Cell className="min-w-48">
              <StreamProblems connectionId={connection.id} />
            </Cell>
            {maySeeJobs && (
              <Cell>
                {connection.latest_job_id ? (
                  <LatestJob id={connection.latest_job_id} />
                ) : (
                  <span className="text-muted-foreground">None</span>
                )}
              </Cell>
            )}
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
