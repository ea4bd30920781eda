"use client";

import { useQuery } from "@tanstack/react-query";
import type { Bar } from "@/components/ui/bar-mark";
import { explorerHref } from "@/features/tables/explorer-href";
import { formatCount, formatDecimal } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import type { ChartKind } from "./charts";
import { figuresOf } from "./figures";
import { type Bucket, bucketsBetween, bucketTick, bucketTitle, type Period, periodStart, today } from "./period";
import { dashboardQueries } from "./queries";

/** Totals first: they say which currencies there are, and money of one is never drawn with another's. */
export function useMoneyChart(kind: ChartKind, period: Period, asked: string | null) {
  const bucket = kind.buckets[period];
  const from = periodStart(period, bucket);
  const since = `${kind.time}:gte:${kind.timeType === "date" ? from : `${from}T00:00:00Z`}`;
  const base = [...kind.filters, since];
  const totals = useQuery(dashboardQueries.aggregate({ table: kind.table, filter: base, sum: kind.sum }));
  const currencies = figuresOf(totals.data, kind.sum);
  const total = currencies.find(({ currency }) => currency === asked) ?? currencies[0] ?? null;
  const series = useQuery({
    ...dashboardQueries.aggregate({
      table: kind.table,
      filter: [...base, `currency:eq:${total?.currency}`],
      group: `${kind.time}:${bucket}`,
      sum: kind.sum,
    }),
    enabled: total !== null,
  });
  return { bucket, from, totals, series, currencies, total, bars: barsOf(kind, bucket, from, series.data) };
}

function barsOf(
  kind: ChartKind,
  bucket: Bucket,
  from: string,
  answer: Parameters<typeof figuresOf>[0],
): (Bar & { sum: string; count: number })[] {
  const figures = figuresOf(answer, kind.sum);
  const byDay = new Map(
    (answer?.items ?? []).map(({ group }, index) => [String(group[kind.time]).slice(0, 10), figures[index]]),
  );
  // A payout may arrive after today.
  const last = [...byDay.keys(), today()].sort().at(-1) ?? today();
  return bucketsBetween(from, last, bucket).map((day) => {
    const figure = byDay.get(day);
    const { sum, count } = figure ?? { sum: "0", count: 0 };
    const title = bucketTitle(day, bucket);
    const rows = `${formatCount(count)} ${plural(count, ...kind.rows)}`;
    return {
      key: day,
      title,
      tick: bucketTick(day, bucket),
      value: Number(sum),
      sum,
      count,
      words: `${title}: ${formatDecimal(sum)}${figure ? ` ${figure.currency}` : ""}, ${rows}`,
      href: figure?.filters ? explorerHref(kind.table, figure.filters) : null,
    };
  });
}
