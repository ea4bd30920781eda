import { CircleCheck } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { WebhookReceipt } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";

function Handled({ receipt }: { receipt: WebhookReceipt }) {
  if (receipt.error) {
    return (
      <div className="grid justify-items-start gap-1">
        <Badge tone="danger">Not fetched</Badge>
        <p className="max-w-xs text-xs">{receipt.error}</p>
      </div>
    );
  }
  if (!receipt.handled_at) return <Badge tone="info">Waiting</Badge>;
  return <Moment at={receipt.handled_at} ago />;
}

export function ReceiptsTable({ receipts }: { receipts: readonly WebhookReceipt[] }) {
  return (
    <DataTable label="Events the vendor sent">
      <thead>
        <tr>
          <HeadCell>Received</HeadCell>
          <HeadCell>Event</HeadCell>
          <HeadCell>About</HeadCell>
          <HeadCell>Signature</HeadCell>
          <HeadCell>Handled</HeadCell>
          <HeadCell>Job</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {receipts.map((receipt) => (
          <tr key={receipt.id}>
            <Cell>
              <Moment at={receipt.received_at} />
            </Cell>
            <Cell className="min-w-48">
              <p>{receipt.event_type}</p>
              <p className="break-all font-mono text-muted-foreground text-xs">{receipt.event_id}</p>
            </Cell>
            <Cell className="min-w-48">
              {receipt.hints.map(({ stream, source_id }) => (
                <p key={`${stream} ${source_id}`}>
                  {humanize(stream)} <code className="break-all font-mono text-xs">{source_id}</code>
                </p>
              ))}
              {receipt.hints.length === 0 && <span className="text-muted-foreground">Nothing read here</span>}
            </Cell>
            <Cell>
              {/* A receipt exists only for an event whose signature was right. */}
              <Badge tone="success">
                <CircleCheck aria-hidden className="size-3" />
                Verified
              </Badge>
            </Cell>
            <Cell>
              <Handled receipt={receipt} />
            </Cell>
            <Cell className="whitespace-nowrap">
              {receipt.job_id ? (
                <TextLink href={`/jobs/view?id=${receipt.job_id}`}>View job</TextLink>
              ) : (
                <span className="text-muted-foreground">–</span>
              )}
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
