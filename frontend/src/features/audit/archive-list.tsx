import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import type { AuditRetention } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";

export function ArchiveList({ archives }: { archives: AuditRetention["archives"] }) {
  if (archives.length === 0) return null;
  return (
    <details>
      <summary className="min-h-6 w-fit cursor-pointer text-primary">Archived months</summary>
      <div className="mt-2">
        <DataTable label="Archived months">
          <thead>
            <tr>
              <HeadCell>Month</HeadCell>
              <HeadCell numeric>Events</HeadCell>
              <HeadCell>Seals</HeadCell>
              <HeadCell>Archived</HeadCell>
              <HeadCell>Left the database</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-b-0">
            {archives.map((archive) => (
              <tr key={archive.id}>
                <Cell className="whitespace-nowrap">{archive.month.slice(0, 7)}</Cell>
                <Cell numeric>{formatCount(archive.event_count)}</Cell>
                <Cell className="whitespace-nowrap">
                  {formatCount(archive.first_sequence)} to {formatCount(archive.last_sequence)}
                </Cell>
                <Cell>
                  <Moment at={archive.archived_at} />
                </Cell>
                <Cell>
                  {archive.purged_at ? (
                    <Moment at={archive.purged_at} />
                  ) : (
                    <span className="text-muted-foreground">Not yet</span>
                  )}
                </Cell>
              </tr>
            ))}
          </tbody>
        </DataTable>
      </div>
    </details>
  );
}
