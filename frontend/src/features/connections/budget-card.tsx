"use client";

import { useQuery } from "@tanstack/react-query";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { ErrorState } from "@/components/ui/error-state";
import { Moment } from "@/components/ui/moment";
import { Skeleton } from "@/components/ui/skeleton";
import type { Budget } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { connectionQueries } from "./queries";

const REFRESH_MS = 5_000;

const perSecond = (rate: number) => `${Number(rate.toFixed(2))} per second`;

function BudgetFacts({ budget }: { budget: Budget }) {
  const { limit, current_requests_per_second: rate } = budget;
  const isSlowed = rate < limit.requests_per_second;
  return (
    <DefinitionList>
      <Definition term="Limit">
        {perSecond(limit.requests_per_second)}, {formatCount(limit.concurrency)} at a time
      </Definition>
      <Definition term="Current rate">
        <span className="flex flex-wrap items-center gap-2">
          {perSecond(rate)}
          {isSlowed && <Badge tone="warning">Slowed down</Badge>}
        </span>
      </Definition>
      <Definition term="Held until">
        {budget.held_until ? (
          <Moment at={budget.held_until} />
        ) : (
          <span className="text-muted-foreground">Not held</span>
        )}
      </Definition>
      <Definition term="In flight">{formatCount(budget.in_flight)}</Definition>
      <Definition term="Waiting">{formatCount(budget.waiting)}</Definition>
    </DefinitionList>
  );
}

export function BudgetCard({ connectionId }: { connectionId: string }) {
  const budget = useQuery({ ...connectionQueries.budget(connectionId), refetchInterval: REFRESH_MS });
  return (
    <Card className="grid content-start gap-3 p-4">
      <div className="grid gap-0.5">
        <h2 className="font-medium">Request budget</h2>
        <p className="text-muted-foreground text-xs">Shared by every connection to this account of the vendor.</p>
      </div>
      {budget.isPending && (
        <div role="status" aria-label="Loading">
          <Skeleton className="h-28" />
        </div>
      )}
      {budget.isError && !budget.data && <ErrorState error={budget.error} onRetry={() => budget.refetch()} />}
      {budget.data && <BudgetFacts budget={budget.data} />}
    </Card>
  );
}
