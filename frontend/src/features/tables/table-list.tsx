import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { TextLink } from "@/components/ui/text-link";
import type { TableInfo } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";

/** The API counts no further than this: one more says "more". */
const COUNTED_UP_TO = 10_000;

const rowCountText = (count: number) =>
  count > COUNTED_UP_TO ? `over ${formatCount(COUNTED_UP_TO)}` : formatCount(count);

export function TableList({ tables }: { tables: readonly TableInfo[] }) {
  return (
    <DataTable label="Tables">
      <thead>
        <tr>
          <HeadCell>Table</HeadCell>
          <HeadCell>Holds</HeadCell>
          <HeadCell numeric>Columns</HeadCell>
          <HeadCell numeric>Rows</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {tables.map((table) => (
          <tr key={table.name} className="hover:bg-accent/50">
            <Cell className="min-w-36">
              <TextLink href={`/tables/view?t=${encodeURIComponent(table.name)}`} className="font-medium">
                {table.title}
              </TextLink>
            </Cell>
            <Cell className="min-w-64 text-muted-foreground">{table.description}</Cell>
            <Cell numeric>{table.columns.length}</Cell>
            <Cell numeric>{rowCountText(table.row_count_estimate)}</Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
