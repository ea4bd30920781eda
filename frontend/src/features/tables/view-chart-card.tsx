"use client";

import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { BarChart } from "@/components/ui/bar-chart";
import type { Bar } from "@/components/ui/bar-mark";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import type { TableInfo } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { axisTitle, groupTitle, measureTitle } from "./chart-words";
import { tableQueries } from "./queries";
import { axisOf, drawingOf, type Picks, sliced, type ViewChart } from "./view-chart";
import { ViewChartFigures } from "./view-chart-figures";
import { ViewChartPick } from "./view-chart-pick";
import { ViewChartTable } from "./view-chart-table";

type ViewChartCardProps = { table: TableInfo; name: string; chart: ViewChart; filter: string[] };

/** Words under a bar need room; days and months are short, and every second or third is enough. */
const WORD_WIDTH = 96;

/** The chart a view keeps, of all rows that the filters let through now. */
export function ViewChartCard({ table, name, chart, filter }: ViewChartCardProps) {
  const headingId = useId();
  const answer = useQuery(tableQueries.chart(table.name, filter, chart));
  const [asked, setAsked] = useState<string | null>(null);
  const [picks, setPicks] = useState<Picks>({});
  const [pointed, setPointed] = useState<Bar | null>(null);

  const { data } = answer;
  const measure = data && (data.measures.find((one) => one.name === asked) ?? data.measures[0]);
  const axis = data && measure ? axisOf(chart, data, measure) : null;
  const { slices, items } = data && axis ? sliced(data, axis, picks) : { slices: [], items: data?.items ?? [] };
  const drawing = measure ? drawingOf(table, chart, measure, axis, items) : null;
  const title =
    measure && (axis ? `${measureTitle(table, measure)} by ${axisTitle(table, axis)}` : measureTitle(table, measure));

  return (
    <section aria-labelledby={headingId} className="min-w-0 shrink-0">
      <Card className="grid grid-cols-1 gap-3 p-4">
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <h2 id={headingId} className="font-medium">
            {title ?? `Chart of ${name}`}
          </h2>
          {data && data.items.length > 0 && (
            <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
              {data.measures.length > 1 && measure && (
                <ViewChartPick
                  label="Figure"
                  value={measure.name}
                  options={data.measures.map((one) => ({ key: one.name, title: measureTitle(table, one) }))}
                  onChange={setAsked}
                />
              )}
              {slices.map(({ column, picked, options }) => (
                <ViewChartPick
                  key={column.name}
                  label={groupTitle(table, column)}
                  value={picked}
                  options={options}
                  onChange={(key) => setPicks({ ...picks, [column.name]: key })}
                />
              ))}
            </div>
          )}
        </div>
        {answer.isPending && (
          <div role="status" aria-label="Loading the chart">
            <Skeleton className="h-50" />
          </div>
        )}
        {answer.isError && !data && <ErrorState error={answer.error} onRetry={() => answer.refetch()} />}
        {data?.items.length === 0 && (
          <p className="text-muted-foreground">No row passes the filters: nothing to draw.</p>
        )}
        {data && measure && drawing && data.items.length > 0 && (
          <div className={cn("grid grid-cols-1 gap-3 transition-opacity", answer.isPlaceholderData && "opacity-60")}>
            {drawing.how === "not" && <p className="text-muted-foreground">{drawing.why}</p>}
            {drawing.how === "figures" && <ViewChartFigures table={table} measure={measure} answer={data} />}
            {drawing.how === "bars" && (
              <>
                <BarChart
                  label={title ?? name}
                  bars={drawing.bars}
                  onPoint={setPointed}
                  look={chart.kind === "line" || chart.kind === "area" ? chart.kind : "bar"}
                  {...(!drawing.axis.bucket && { slotWidth: WORD_WIDTH })}
                />
                <p aria-hidden className="min-h-4 text-muted-foreground text-xs leading-4 tabular-nums">
                  {pointed
                    ? pointed.words
                    : `${chart.kind === "pie" ? "A pie is drawn as bars. " : ""}Each opens the rows it is made of. Days are UTC.`}
                </p>
              </>
            )}
            {data.truncated && (
              <p className="text-muted-foreground text-xs">There are more groups than these {data.items.length}.</p>
            )}
            <ViewChartTable table={table} label={`${title ?? name}, as a table`} answer={data} />
          </div>
        )}
      </Card>
    </section>
  );
}
