"use client";

import { MonitorSmartphone } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { SessionsTable } from "./sessions-table";
import { useSessions } from "./use-sessions";

export function SessionList() {
  const sessions = useSessions();
  if (sessions.isPending) return <TableSkeleton rows={3} />;
  if (sessions.isError && !sessions.data) {
    return <ErrorState error={sessions.error} onRetry={() => sessions.refetch()} />;
  }
  const items = sessions.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <EmptyState icon={MonitorSmartphone} title="You have no sessions" />;
  return (
    <div className="grid gap-3">
      <SessionsTable sessions={items} />
      {sessions.hasNextPage && (
        <Button
          className="justify-self-center"
          disabled={sessions.isFetchingNextPage}
          onClick={() => sessions.fetchNextPage()}
        >
          {sessions.isFetchingNextPage && <Spinner />}
          Load more
        </Button>
      )}
    </div>
  );
}
