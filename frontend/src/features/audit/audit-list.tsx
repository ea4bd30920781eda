"use client";

import { ScrollText } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { AuditDrawer } from "./audit-drawer";
import { AuditTable } from "./audit-table";
import { type AuditFilters, hasFilters, NO_FILTERS } from "./filters";
import { SealSummary } from "./seal-summary";
import { useAuditEvents } from "./use-audit-events";

type AuditListProps = {
  filters: AuditFilters;
  event: string | null;
  onOpen: (id: string | null, history?: "push" | "replace") => void;
  onChange: (filters: AuditFilters) => void;
};

export function AuditList({ filters, event, onOpen, onChange }: AuditListProps) {
  const events = useAuditEvents(filters);
  const items = events.data?.pages.flatMap((page) => page.items) ?? [];
  const isFiltered = hasFilters(filters);
  return (
    <div className="grid gap-3">
      {events.isPending && <TableSkeleton rows={8} />}
      {events.isError && (!events.data || events.isPlaceholderData) && (
        <ErrorState error={events.error} onRetry={() => events.refetch()} />
      )}
      {events.isSuccess && items.length === 0 && (
        <EmptyState
          icon={ScrollText}
          title={isFiltered ? "No event matches these filters" : "Nothing is on record yet"}
          action={isFiltered && <Button onClick={() => onChange(NO_FILTERS)}>Clear filters</Button>}
        >
          {isFiltered
            ? "Actor, category and ids are compared exactly; an action by how it begins."
            : "Every log-in, change and refusal will be listed here."}
        </EmptyState>
      )}
      {events.isSuccess && items.length > 0 && (
        <>
          <SealSummary events={items} isFetching={events.isFetching} onRefresh={() => events.refetch()} />
          <AuditTable events={items} onOpen={onOpen} />
        </>
      )}
      {events.hasNextPage && !events.isPlaceholderData && (
        <Button
          className="justify-self-center"
          disabled={events.isFetchingNextPage}
          onClick={() => events.fetchNextPage()}
        >
          {events.isFetchingNextPage && <Spinner />}
          Load more
        </Button>
      )}
      {event && (
        <AuditDrawer id={event} events={items} onMove={(id) => onOpen(id, "replace")} onClose={() => onOpen(null)} />
      )}
    </div>
  );
}
