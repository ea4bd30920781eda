"use client";

import { ChartNoAxesColumn } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useId, useState } from "react";
import { BarChart } from "@/components/ui/bar-chart";
import type { Bar } from "@/components/ui/bar-mark";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { explorerHref } from "@/features/tables/explorer-href";
import { cn } from "@/lib/cn";
import { formatCount, formatDecimal } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { ChartTable } from "./chart-table";
import type { ChartKind } from "./charts";
import type { Period } from "./period";
import { useMoneyChart } from "./use-money-chart";

/** Each chart has a currency of its own: payments come in the customer's, payouts and fees in that of the bank account. */
export function MoneyChart({ kind, period }: { kind: ChartKind; period: Period }) {
  const headingId = useId();
  const [asked, setAsked] = useQueryState(kind.id, parseAsString);
  const [pointed, setPointed] = useState<Bar | null>(null);
  const { bucket, from, totals, series, currencies, total, bars } = useMoneyChart(kind, period, asked);
  const title = `${kind.title} by ${bucket}`;
  const error = totals.error ?? series.error;

  return (
    <section aria-labelledby={headingId} className="min-w-0">
      <Card className="grid h-full grid-cols-1 content-start gap-3 p-4">
        <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
          <div className="grid min-w-0 gap-0.5">
            <h2 id={headingId} className="font-medium">
              {title}
            </h2>
            {totals.isPending && <Skeleton className="h-7 w-40" />}
            {total && (
              <p className="tabular-nums">
                <TextLink
                  href={explorerHref(kind.table, total.filters ?? [])}
                  className="font-semibold text-foreground! text-lg"
                >
                  {formatDecimal(total.sum)} {total.currency}
                </TextLink>{" "}
                <span className="text-muted-foreground">
                  {formatCount(total.count)} {plural(total.count, ...kind.rows)} since {from}
                </span>
              </p>
            )}
          </div>
          {total && (
            <Select
              aria-label={`Currency of ${kind.title.toLowerCase()}`}
              className="w-24!"
              value={total.currency}
              onChange={(event) => setAsked(event.target.value)}
            >
              {currencies.map(({ currency }) => (
                <option key={currency} value={currency}>
                  {currency}
                </option>
              ))}
            </Select>
          )}
        </div>
        {error ? (
          <ErrorState error={error} onRetry={() => Promise.all([totals.refetch(), total && series.refetch()])} />
        ) : totals.isPending || (total && series.isPending) ? (
          <div role="status" aria-label={`Loading ${title}`}>
            <Skeleton className="h-50" />
          </div>
        ) : total === null ? (
          <p className="grid h-50 place-content-center justify-items-center gap-2 text-muted-foreground">
            <ChartNoAxesColumn aria-hidden className="size-5" />
            No {kind.rows[1]} since {from}
          </p>
        ) : (
          <div className={cn("relative transition-opacity", series.isPlaceholderData && "opacity-60")}>
            <BarChart label={title} bars={bars} onPoint={setPointed} />
            <ChartTable caption={`${title}, ${total.currency}`} rows={kind.rows[1]} bars={bars} />
          </div>
        )}
        <p aria-hidden className="min-h-4 text-muted-foreground text-xs leading-4 tabular-nums">
          {pointed ? pointed.words : (kind.note ?? "A bar opens the rows it is made of. Days are UTC.")}
        </p>
      </Card>
    </section>
  );
}
