import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import type { Stream } from "@/lib/api/models";
import { StreamRow } from "./stream-row";

const COUNTERS = ["Read", "New", "Changed", "Unchanged", "Deleted"] as const;

type StreamsTableProps = { connectionId: string; streams: readonly Stream[] };

export function StreamsTable({ connectionId, streams }: StreamsTableProps) {
  return (
    <DataTable label="Streams of this connection">
      <thead>
        <tr>
          <HeadCell>Stream</HeadCell>
          <HeadCell>Last run</HeadCell>
          {COUNTERS.map((counter) => (
            <HeadCell key={counter} numeric>
              {counter}
            </HeadCell>
          ))}
          <HeadCell numeric>Landed / expected</HeadCell>
          <HeadCell>Read up to</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {streams.map((stream) => (
          <StreamRow key={stream.name} connectionId={connectionId} stream={stream} />
        ))}
        {streams.length === 0 && (
          <tr>
            <Cell colSpan={COUNTERS.length + 4} className="text-muted-foreground">
              This connector declares no streams.
            </Cell>
          </tr>
        )}
      </tbody>
    </DataTable>
  );
}
