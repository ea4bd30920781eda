import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import type { CursorDetail } from "@/lib/api/models";
import { CursorRow } from "./cursor-row";

type CursorsTableProps = { cursors: readonly CursorDetail[]; onReset: ((cursor: CursorDetail) => void) | null };

export function CursorsTable({ cursors, onReset }: CursorsTableProps) {
  return (
    <DataTable label="Cursors of this connection">
      <thead>
        <tr>
          <HeadCell>Stream</HeadCell>
          <HeadCell>Complete up to</HeadCell>
          <HeadCell>Under way</HeadCell>
          <HeadCell>How it reads</HeadCell>
          <HeadCell>Moved last</HeadCell>
          {onReset && (
            <HeadCell>
              <span className="sr-only">Actions</span>
            </HeadCell>
          )}
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {cursors.map((cursor) => (
          <CursorRow key={cursor.stream} cursor={cursor} onReset={onReset} />
        ))}
        {cursors.length === 0 && (
          <tr>
            <Cell colSpan={onReset ? 6 : 5} className="text-muted-foreground">
              This connector declares no streams.
            </Cell>
          </tr>
        )}
      </tbody>
    </DataTable>
  );
}
