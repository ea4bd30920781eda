"use client";

import { useQuery } from "@tanstack/react-query";
import { Card } from "@/components/ui/card";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { explorerHref } from "@/features/tables/explorer-href";
import { toApiError } from "@/lib/api/problem";
import { formatCount, formatDecimal } from "@/lib/format/number";
import { figuresOf } from "./figures";
import { dashboardQueries } from "./queries";

type FigureCardProps = { title: string; note: string; table: string; filters: readonly string[]; sum: string };

/** How many, and how much in each currency; each figure opens its rows. */
export function FigureCard({ title, note, table, filters, sum }: FigureCardProps) {
  const answer = useQuery(dashboardQueries.aggregate({ table, filter: filters, sum }));
  const figures = figuresOf(answer.data, sum);
  const count = figures.reduce((all, figure) => all + figure.count, 0);
  return (
    // As tall as with four currencies, so that what is below stays where it is when the figures come in.
    <Card className="grid min-h-46 min-w-0 content-start gap-1 p-4">
      <h2 className="font-medium">{title}</h2>
      {answer.isPending ? (
        <div role="status" aria-label={`Loading ${title}`}>
          <Skeleton className="h-28" />
        </div>
      ) : answer.isError ? (
        <p role="alert" className="text-danger">
          {toApiError(answer.error).message}
        </p>
      ) : (
        <>
          <p>
            <TextLink
              href={explorerHref(table, filters)}
              aria-label={`${title}: ${formatCount(count)}`}
              className="font-semibold text-2xl text-foreground! tabular-nums leading-8"
            >
              {formatCount(count)}
            </TextLink>
          </p>
          {figures.length > 0 && (
            <ul className="grid gap-1.5 py-1 text-data tabular-nums">
              {figures.map((figure) => (
                <li key={figure.currency}>
                  <TextLink href={explorerHref(table, figure.filters ?? filters)}>
                    {formatDecimal(figure.sum)} {figure.currency}
                  </TextLink>
                </li>
              ))}
            </ul>
          )}
        </>
      )}
      <p className="text-muted-foreground text-xs">{note}</p>
    </Card>
  );
}
