import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import type { RawRecord } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";

type RecordsTableProps = { records: readonly RawRecord[]; onOpen: (id: string) => void };

export function RecordState({ record }: { record: RawRecord }) {
  if (record.deleted_at) return <Badge tone="danger">Gone at the vendor</Badge>;
  return record.is_open ? (
    <Badge tone="info">May still change</Badge>
  ) : (
    <span className="text-muted-foreground">–</span>
  );
}

export function RecordsTable({ records, onOpen }: RecordsTableProps) {
  return (
    <DataTable label="Records of this stream">
      <thead>
        <tr>
          <HeadCell>Vendor's id</HeadCell>
          <HeadCell>State</HeadCell>
          <HeadCell>First seen so</HeadCell>
          <HeadCell>Landed</HeadCell>
          <HeadCell numeric>Change</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {records.map((record) => (
          <tr key={record.id} className="hover:bg-accent/50">
            <Cell className="min-w-56">
              <button
                type="button"
                onClick={() => onOpen(record.id)}
                className="min-h-6 cursor-pointer break-all text-left font-mono text-primary text-xs underline decoration-primary/40 underline-offset-4 hover:decoration-primary"
              >
                {record.source_id}
              </button>
            </Cell>
            <Cell className="whitespace-nowrap">
              <RecordState record={record} />
            </Cell>
            <Cell>
              <Moment at={record.observed_at} />
            </Cell>
            <Cell>
              <Moment at={record.changed_at} ago />
            </Cell>
            <Cell numeric>{formatCount(record.change)}</Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
