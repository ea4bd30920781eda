"use client";

import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import type { Provider } from "@/lib/api/models";
import { ProviderCard } from "./provider-card";
import { connectionQueries } from "./queries";

type ProviderCatalogueProps = { onChoose: (provider: Provider) => void; className?: string };

export function ProviderCatalogue({ onChoose, className = "sm:grid-cols-2 xl:grid-cols-3" }: ProviderCatalogueProps) {
  const providers = useQuery(connectionQueries.providers());
  if (providers.isPending) {
    return (
      <div role="status" aria-label="Loading" className={`grid gap-3 ${className}`}>
        <Skeleton className="h-42" />
      </div>
    );
  }
  if (providers.isError) return <ErrorState error={providers.error} onRetry={() => providers.refetch()} />;
  if (providers.data.items.length === 0) {
    return <p className="text-muted-foreground">No plugin offers a connector. Enable one first.</p>;
  }
  return (
    <ul className={`grid gap-3 ${className}`}>
      {providers.data.items.map((provider) => (
        <ProviderCard key={provider.kind} provider={provider} onChoose={onChoose} />
      ))}
    </ul>
  );
}
