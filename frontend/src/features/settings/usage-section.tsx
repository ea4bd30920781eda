"use client";

import { useQuery } from "@tanstack/react-query";
import { ChartColumn } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Label } from "@/components/ui/label";
import { Select } from "@/components/ui/select";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { tenantQueries } from "./queries";
import { UsageBars } from "./usage-bars";
import { firstDay, usageByMetric } from "./usage-days";

const SPANS = [7, 30, 90] as const;
const DEFAULT_SPAN = 30;

export function UsageSection() {
  const [span, setSpan] = useState<number>(DEFAULT_SPAN);
  const from = firstDay(span);
  const usage = useQuery(tenantQueries.usage(from));
  const metrics = usage.data ? usageByMetric(usage.data.items, from, span) : [];
  return (
    <section aria-labelledby="usage" className="grid gap-3">
      <div className="flex max-w-2xl flex-wrap items-center justify-between gap-3">
        <h2 id="usage" className="font-medium">
          Usage by day
        </h2>
        <div className="flex items-center gap-2">
          <Label htmlFor="usage-span">Days</Label>
          <Select
            id="usage-span"
            className="w-32!"
            value={span}
            onChange={({ target }) => setSpan(SPANS.find((one) => String(one) === target.value) ?? DEFAULT_SPAN)}
          >
            {SPANS.map((one) => (
              <option key={one} value={one}>
                Last {one}
              </option>
            ))}
          </Select>
        </div>
      </div>
      {usage.isPending && <TableSkeleton rows={4} />}
      {usage.isError && !usage.data && <ErrorState error={usage.error} onRetry={() => usage.refetch()} />}
      {usage.data && metrics.length === 0 && (
        <EmptyState icon={ChartColumn} title="Nothing was used in these days">
          Syncs and exports are counted here by day.
        </EmptyState>
      )}
      {metrics.map(([metric, days]) => (
        <UsageBars key={metric} metric={metric} days={days} />
      ))}
    </section>
  );
}
