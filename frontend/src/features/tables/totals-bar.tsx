"use client";

import { useQuery } from "@tanstack/react-query";
import type { TableInfo } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { formatCount, formatDecimal, isNegative } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { tableQueries } from "./queries";

type TotalsBarProps = { table: TableInfo; filter: string[]; shown: readonly string[] };

/** The API takes ten measures at once, and counting is one. */
const MOST_SUMS = 9;

/** Sums of all rows the filters let through, loaded or not, one line per currency. */
export function TotalsBar({ table, filter, shown }: TotalsBarProps) {
  const columns = table.columns
    .filter(({ name, type, filterable }) => type === "money" && filterable && shown.includes(name))
    .slice(0, MOST_SUMS);
  const totals = useQuery({
    ...tableQueries.totals(
      table.name,
      filter,
      columns.map(({ name }) => name),
    ),
    enabled: columns.length > 0,
  });
  // The grid says what is wrong with a filter; without figures there is nothing to add.
  if (columns.length === 0 || !totals.data?.items.length) return null;
  const byCurrency = totals.data.groups.find(({ added }) => added)?.name ?? "currency";
  return (
    // Its height cuts a fifth line in half, which shows that there are more.
    <section
      aria-label="Totals"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="relative max-h-32 shrink-0 overflow-auto rounded-lg border bg-card"
    >
      <table
        aria-label="Totals of the rows that pass the filters"
        className={cn("text-data tabular-nums transition-opacity", totals.isPlaceholderData && "opacity-60")}
      >
        <thead className="sr-only">
          <tr>
            <th scope="col">Currency</th>
            <th scope="col">Rows</th>
            {columns.map(({ name, title }) => (
              <th key={name} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {totals.data.items.map(({ group, values }) => {
            const currency = String(group[byCurrency] ?? "No currency");
            const count = Number(values.count ?? 0);
            return (
              <tr key={currency}>
                <th scope="row" className="px-3 py-1 text-left font-medium">
                  {currency}
                </th>
                <td className="whitespace-nowrap px-3 py-1 text-right text-muted-foreground">
                  {formatCount(count)} {plural(count, "row")}
                </td>
                {columns.map(({ name, title }) => {
                  const sum = String(values[`sum_${name}`] ?? "0");
                  return (
                    <td key={name} className="whitespace-nowrap px-3 py-1">
                      <span className="flex items-baseline justify-between gap-2">
                        <span aria-hidden className="text-muted-foreground text-xs">
                          {title}
                        </span>
                        <span className={cn(isNegative(sum) && "text-danger")}>{formatDecimal(sum)}</span>
                      </span>
                    </td>
                  );
                })}
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}
