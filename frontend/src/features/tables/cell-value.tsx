import { Badge, type Tone } from "@/components/ui/badge";
import type { ColumnInfo, TableRow } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { formatDecimal, isNegative } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";
import { humanize } from "@/lib/format/words";

const TONES: Record<string, Tone> = {
  paid: "success",
  succeeded: "success",
  captured: "success",
  pending: "info",
  in_transit: "info",
  authorized: "info",
  refunded: "warning",
  partially_refunded: "warning",
  disputed: "warning",
  failed: "danger",
  canceled: "neutral",
};

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function MoneyValue({ amount, currency }: { amount: string; currency: unknown }) {
  return (
    <span className={cn("tabular-nums", isNegative(amount) && "text-danger")}>
      {formatDecimal(amount)}
      {typeof currency === "string" && (
        <span className="ml-1.5 inline-block w-8 text-left text-muted-foreground text-xs">{currency}</span>
      )}
    </span>
  );
}

/** One cell, shown by the type its column declares. Money arrives as a decimal string and stays one. */
export function CellValue({ column, row }: { column: ColumnInfo; row: TableRow }) {
  const value = row[column.name];
  if (value === null || value === undefined) return <span className="text-muted-foreground">–</span>;
  switch (column.type) {
    case "money":
      return (
        <MoneyValue
          amount={asText(value)}
          currency={column.currency_column ? row[column.currency_column] : undefined}
        />
      );
    case "number":
      return <span className="tabular-nums">{formatDecimal(asText(value))}</span>;
    case "timestamp":
      return <time dateTime={asText(value)}>{formatInstant(asText(value))}</time>;
    case "boolean":
      return value === true ? "Yes" : "No";
    case "enum":
      return <Badge tone={TONES[asText(value)] ?? "neutral"}>{humanize(asText(value))}</Badge>;
    case "uuid":
      return <span className="font-mono text-xs">{asText(value)}</span>;
    default:
      return asText(value);
  }
}
