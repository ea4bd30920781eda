import { columnSizingFeature, columnVisibilityFeature, createColumnHelper, tableFeatures } from "@tanstack/react-table";
import type { ColumnInfo, ColumnType, TableRow } from "@/lib/api/models";
import { CellValue } from "./cell-value";

export const gridFeatures = tableFeatures({ columnSizingFeature, columnVisibilityFeature });

const WIDTHS: Record<ColumnType, number> = {
  text: 200,
  money: 150,
  number: 110,
  timestamp: 180,
  date: 115,
  boolean: 80,
  uuid: 310,
  enum: 125,
};
const CURRENCY_CODE_WIDTH = 100;

const helper = createColumnHelper<typeof gridFeatures, TableRow>();

export const isNumeric = (type: ColumnType) => type === "money" || type === "number";

/** Sorting and filtering happen on the server, so the table model only places and shows columns. */
export function gridColumns(columns: readonly ColumnInfo[]) {
  const currencies = new Set(columns.map((column) => column.currency_column));
  return helper.columns(
    columns.map((column) =>
      helper.display({
        id: column.name,
        header: column.title,
        size: currencies.has(column.name) ? CURRENCY_CODE_WIDTH : WIDTHS[column.type],
        cell: ({ row }) => <CellValue column={column} row={row.original} />,
      }),
    ),
  );
}
