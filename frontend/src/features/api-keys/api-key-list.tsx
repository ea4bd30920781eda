"use client";

import { KeyRound } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { ApiKeysTable } from "./api-keys-table";
import { useApiKeys } from "./use-api-keys";

export function ApiKeyList({ onCreate }: { onCreate: (() => void) | null }) {
  const keys = useApiKeys();
  if (keys.isPending) return <TableSkeleton rows={4} />;
  if (keys.isError && !keys.data) return <ErrorState error={keys.error} onRetry={() => keys.refetch()} />;
  const items = keys.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState
        icon={KeyRound}
        title="No API keys yet"
        action={onCreate && <Button onClick={onCreate}>Create a key</Button>}
      >
        A key lets a program read tables or start syncs here, with no more than the permissions you choose for it.
      </EmptyState>
    );
  }
  return (
    <div className="grid min-w-0 gap-3">
      <ApiKeysTable keys={items} />
      <LoadMore pages={keys} />
    </div>
  );
}
