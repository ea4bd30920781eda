"use client";

import { FileJson } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { type StreamAt, useRecords } from "./queries";
import { RecordsTable } from "./records-table";

type RecordResultsProps = { where: StreamAt; sourceId: string; onOpen: (id: string) => void };

export function RecordResults({ where, sourceId, onOpen }: RecordResultsProps) {
  const records = useRecords(where, sourceId);
  if (records.isPending) return <TableSkeleton rows={6} />;
  if (records.isError && !records.data) return <ErrorState error={records.error} onRetry={() => records.refetch()} />;
  const items = records.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState icon={FileJson} title={sourceId ? "No record has this id" : "Nothing was read yet"}>
        {sourceId
          ? "Give the vendor's whole id, as it stands in the vendor's own dashboard."
          : "Records appear here as soon as a sync has read the stream."}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-3">
      <RecordsTable records={items} onOpen={onOpen} />
      <LoadMore pages={records} />
    </div>
  );
}
