"use client";

import { useQuery } from "@tanstack/react-query";
import { ChartNoAxesColumn } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import { TextLink } from "@/components/ui/text-link";
import { tableQueries } from "@/features/tables/queries";
import { FEES, PAYMENTS, PAYOUTS } from "./charts";
import { FigureCards } from "./figure-cards";
import { MoneyChart } from "./money-chart";
import type { Period } from "./period";

const FIRST_ROWS_POLL_MS = 5_000;

export function MoneyPanels({ period }: { period: Period }) {
  // A first sync is often under way while somebody waits here.
  const tables = useQuery({
    ...tableQueries.list(),
    refetchInterval: ({ state }) =>
      state.data?.items.every((table) => table.row_count_estimate === 0) ? FIRST_ROWS_POLL_MS : false,
  });
  if (tables.isPending) return <PanelsSkeleton />;
  if (tables.isError) return <ErrorState error={tables.error} onRetry={() => tables.refetch()} />;
  if (tables.data.items.every((table) => table.row_count_estimate === 0)) {
    return (
      <EmptyState icon={ChartNoAxesColumn} title="Nothing was synced yet">
        Figures appear after the first sync. <TextLink href="/connections">Go to connections</TextLink>
      </EmptyState>
    );
  }
  return (
    <>
      <FigureCards period={period} />
      <MoneyChart kind={PAYMENTS} period={period} />
      <div className="grid gap-5 xl:grid-cols-2">
        <MoneyChart kind={PAYOUTS} period={period} />
        <MoneyChart kind={FEES} period={period} />
      </div>
    </>
  );
}

/** Of the size of what it stands for. */
function PanelsSkeleton() {
  return (
    <div role="status" aria-label="Loading the figures" className="grid gap-5">
      <Skeleton className="h-96 sm:h-46" />
      <Skeleton className="h-81" />
      <Skeleton className="h-81" />
    </div>
  );
}
