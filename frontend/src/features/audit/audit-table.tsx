import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import type { AuditEvent } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { actionInWords } from "./action-words";
import { OutcomeBadge } from "./outcome-badge";
import { SealBadge } from "./seal-badge";

type AuditTableProps = { events: readonly AuditEvent[]; onOpen: (id: string) => void };

export function AuditTable({ events, onOpen }: AuditTableProps) {
  return (
    <DataTable label="Audit events">
      <thead>
        <tr>
          <HeadCell>Time</HeadCell>
          <HeadCell>Actor</HeadCell>
          <HeadCell>Action</HeadCell>
          <HeadCell>Resource</HeadCell>
          <HeadCell>Outcome</HeadCell>
          <HeadCell>Seal</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {events.map((event) => (
          // The button in the row is stretched over all of it, which makes the row one target with one name.
          <tr key={event.id} className="relative hover:bg-accent/50">
            <Cell>
              <Moment at={event.occurred_at} />
            </Cell>
            <Cell className="max-w-56">
              <p className="truncate" title={event.actor.label}>
                {event.actor.label}
              </p>
              <p className="text-muted-foreground text-xs">{humanize(event.actor.kind)}</p>
            </Cell>
            <Cell className="min-w-56">
              <button
                type="button"
                onClick={() => onOpen(event.id)}
                className="cursor-pointer text-left font-medium text-primary underline decoration-primary/40 underline-offset-4 after:absolute after:inset-0 hover:decoration-primary"
              >
                {actionInWords(event.action)}
              </button>
              <p className="font-mono text-muted-foreground text-xs">{event.action}</p>
            </Cell>
            <Cell className="max-w-56">
              {event.resource_type ? humanize(event.resource_type) : <span className="text-muted-foreground">–</span>}
              {event.resource_id && (
                <p className="truncate font-mono text-muted-foreground text-xs" title={event.resource_id}>
                  {event.resource_id}
                </p>
              )}
            </Cell>
            <Cell>
              <OutcomeBadge outcome={event.outcome} />
            </Cell>
            <Cell>
              <SealBadge seal={event.seal} />
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
