"use client";

import { ArrowLeftRight } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { ApiCallsTable } from "./api-calls-table";
import type { useApiCalls } from "./use-api-calls";

type ApiCallResultsProps = {
  calls: ReturnType<typeof useApiCalls>;
  isFiltered: boolean;
  onOpen: (id: string) => void;
};

export function ApiCallResults({ calls, isFiltered, onOpen }: ApiCallResultsProps) {
  if (calls.isPending) return <TableSkeleton rows={6} />;
  if (calls.isError && !calls.data) return <ErrorState error={calls.error} onRetry={() => calls.refetch()} />;
  const items = calls.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState icon={ArrowLeftRight} title={isFiltered ? "No request is like this" : "Nothing was asked yet"}>
        {isFiltered
          ? "Choose another filter above."
          : "Every request to the vendor is kept here, with its answer's status."}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-3">
      <ApiCallsTable calls={items} onOpen={onOpen} />
      <LoadMore pages={calls} />
    </div>
  );
}
