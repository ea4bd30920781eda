"use client";

import { useQuery } from "@tanstack/react-query";
import { Blocks } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { PluginCard } from "./plugin-card";
import { pluginQueries } from "./queries";

export function PluginList() {
  const plugins = useQuery(pluginQueries.list());
  if (plugins.isPending) return <TableSkeleton rows={3} />;
  if (plugins.isError) return <ErrorState error={plugins.error} onRetry={() => plugins.refetch()} />;
  if (plugins.data.items.length === 0) {
    return (
      <EmptyState icon={Blocks} title="No plugins are installed">
        The operator installs them beside Counterfoil; after a restart they are listed here.
      </EmptyState>
    );
  }
  return (
    <ul className="grid gap-3 lg:grid-cols-2">
      {plugins.data.items.map((plugin) => (
        <PluginCard key={plugin.name} plugin={plugin} />
      ))}
    </ul>
  );
}
