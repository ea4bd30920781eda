"use client";

import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { useMay } from "@/features/shell/use-may";
import type { SchemaNotice } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { AcknowledgeButton } from "./acknowledge-button";

const KINDS: Record<SchemaNotice["kind"], string> = { appeared: "New field", type_changed: "Other type" };

type SchemaNoticesTableProps = { connectionId: string; notices: readonly SchemaNotice[] };

export function SchemaNoticesTable({ connectionId, notices }: SchemaNoticesTableProps) {
  const mayAcknowledge = useMay("connections.manage");
  return (
    <DataTable label="Schema notices of this connection">
      <thead>
        <tr>
          <HeadCell>Field</HeadCell>
          <HeadCell>Stream</HeadCell>
          <HeadCell>Kind</HeadCell>
          <HeadCell>Type</HeadCell>
          <HeadCell>First seen</HeadCell>
          <HeadCell>Acknowledged</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {notices.map((notice) => (
          <tr key={notice.id}>
            <Cell className="min-w-56 break-all font-mono text-xs">{notice.path}</Cell>
            <Cell className="whitespace-nowrap">{humanize(notice.stream)}</Cell>
            <Cell>
              <Badge tone={notice.kind === "type_changed" ? "warning" : "info"}>{KINDS[notice.kind]}</Badge>
            </Cell>
            <Cell className="font-mono text-xs">{notice.sample_type}</Cell>
            <Cell>
              <Moment at={notice.first_seen_at} ago />
            </Cell>
            <Cell>
              {notice.acknowledged_at ? (
                <Moment at={notice.acknowledged_at} ago />
              ) : mayAcknowledge ? (
                <AcknowledgeButton connectionId={connectionId} notice={notice} />
              ) : (
                <span className="text-muted-foreground">Not yet</span>
              )}
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
