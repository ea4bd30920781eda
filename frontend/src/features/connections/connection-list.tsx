"use client";

import { useQuery } from "@tanstack/react-query";
import { Plug } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { ConnectionsTable } from "./connections-table";
import { connectionQueries } from "./queries";

const REFRESH_MS = 15_000;

export function ConnectionList({ onAdd }: { onAdd: (() => void) | null }) {
  const connections = useQuery({ ...connectionQueries.list(), refetchInterval: REFRESH_MS });
  if (connections.isPending) return <TableSkeleton rows={3} />;
  if (connections.isError && !connections.data) {
    return <ErrorState error={connections.error} onRetry={() => connections.refetch()} />;
  }
  const { items } = connections.data;
  if (items.length > 0) return <ConnectionsTable connections={items} />;
  return (
    <EmptyState
      icon={Plug}
      title="No connections yet"
      action={onAdd && <Button onClick={onAdd}>Choose a provider</Button>}
    >
      {onAdd
        ? "Connect a vendor account, and its payments and payouts appear under Tables."
        : "Ask a member who may manage connections to add one."}
    </EmptyState>
  );
}
