"use client";

import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { PlanCard } from "./plan-card";
import { planQueries } from "./queries";

export function PlanSection() {
  const plan = useQuery(planQueries.plan());
  return (
    <section aria-labelledby="plan" className="grid gap-3">
      <h2 id="plan" className="font-medium">
        Plan
      </h2>
      {plan.isPending && <TableSkeleton rows={3} />}
      {plan.isError && !plan.data && <ErrorState error={plan.error} onRetry={() => plan.refetch()} />}
      {plan.data && <PlanCard plan={plan.data} />}
    </section>
  );
}
