import { Definition, DefinitionList } from "@/components/ui/definition";
import type { TableInfo, TableRow } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { CellValue } from "./cell-value";

const plainText = (value: unknown) =>
  value === null || value === undefined ? "–" : typeof value === "string" ? value : JSON.stringify(value);

/** Declared columns first, shown by their types; what the server sends beyond them follows as it is. */
export function RowFields({ table, row }: { table: TableInfo; row: TableRow }) {
  const declared = new Set(table.columns.map(({ name }) => name));
  const others = Object.entries(row).filter(([name]) => !declared.has(name));
  return (
    <DefinitionList>
      {table.columns.map((column) => (
        <Definition key={column.name} term={column.title}>
          <CellValue column={column} row={row} />
        </Definition>
      ))}
      {others.map(([name, value]) => (
        <Definition key={name} term={humanize(name)}>
          {plainText(value)}
        </Definition>
      ))}
    </DefinitionList>
  );
}
