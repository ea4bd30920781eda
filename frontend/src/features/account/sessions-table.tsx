import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import type { MySession } from "@/lib/api/models";
import { deviceName } from "./device";
import { EndSessionButton } from "./end-session-button";

export function SessionsTable({ sessions }: { sessions: readonly MySession[] }) {
  return (
    <DataTable label="Your sessions">
      <thead>
        <tr>
          <HeadCell>Device</HeadCell>
          <HeadCell>IP address</HeadCell>
          <HeadCell>Company</HeadCell>
          <HeadCell>Last seen</HeadCell>
          <HeadCell>Logged in</HeadCell>
          <HeadCell>
            <span className="sr-only">Actions</span>
          </HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0 [&>tr>td]:align-middle">
        {sessions.map((session) => (
          <tr key={session.id} className="h-13 hover:bg-accent/50">
            <Cell className="min-w-48">
              <span className="flex flex-wrap items-center gap-2">
                <span className="font-medium" title={session.user_agent ?? undefined}>
                  {deviceName(session.user_agent)}
                </span>
                {session.current && <Badge tone="success">This session</Badge>}
              </span>
            </Cell>
            <Cell className="font-mono">{session.ip ?? <span className="text-muted-foreground">Not known</span>}</Cell>
            <Cell>{session.tenant.name}</Cell>
            <Cell>
              <Moment at={session.last_seen_at} ago />
            </Cell>
            <Cell>
              <Moment at={session.created_at} />
            </Cell>
            <Cell className="text-right">{!session.current && <EndSessionButton session={session} />}</Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
