import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import { LatestJob } from "@/features/jobs/latest-job";
import type { Connection } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { ConnectionStatusBadge } from "./connection-status-badge";

export function ConnectionsTable({ connections }: { connections: readonly Connection[] }) {
  return (
    <DataTable label="Connections">
      <thead>
        <tr>
          <HeadCell>Connection</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell>Account</HeadCell>
          <HeadCell>Last sync</HeadCell>
          <HeadCell>Latest job</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {connections.map((connection) => (
          <tr key={connection.id} className="hover:bg-accent/50">
            <Cell className="min-w-44">
              <TextLink href={`/connections/view?id=${connection.id}`} className="font-medium">
                {connection.label}
              </TextLink>
              <p className="text-muted-foreground">{humanize(connection.kind)}</p>
            </Cell>
            <Cell className="min-w-48">
              <ConnectionStatusBadge status={connection.status} />
              {connection.last_error && (
                <p className="mt-1 max-w-xs truncate text-danger text-xs" title={connection.last_error.detail}>
                  {connection.last_error.detail}
                </p>
              )}
            </Cell>
            <Cell className="min-w-40">
              {connection.external_account_label ?? <span className="text-muted-foreground">Not known yet</span>}
              {connection.external_account_id && (
                <p className="font-mono text-muted-foreground text-xs">{connection.external_account_id}</p>
              )}
            </Cell>
            <Cell>
              <Moment at={connection.last_synced_at} ago />
            </Cell>
            <Cell>
              {connection.latest_job_id ? (
                <LatestJob id={connection.latest_job_id} />
              ) : (
                <span className="text-muted-foreground">None</span>
              )}
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
