"use client";

import { toast } from "sonner";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { useConnectionChanged } from "./use-connection-changed";

function reportFailure(error: unknown): void {
  const problem = toApiError(error);
  toast.error(problem.title, { description: problem.message });
}

export function useSyncConnection(id: string) {
  const changed = useConnectionChanged();
  const sync = $api.useMutation("post", "/api/v1/connections/{connection_id}/sync", {
    onSuccess: () => changed(id),
    onError: reportFailure,
  });
  const params = { path: { connection_id: id } };
  return {
    isPending: sync.isPending,
    sync: () => sync.mutateAsync({ params, body: { mode: "incremental" } }),
    backfill: () => sync.mutateAsync({ params, body: { mode: "backfill" } }),
  };
}

export function useReplayConnection(id: string) {
  const changed = useConnectionChanged();
  const replay = $api.useMutation("post", "/api/v1/connections/{connection_id}/replay", {
    onSuccess: () => changed(id),
    onError: reportFailure,
  });
  return {
    isPending: replay.isPending,
    replay: () => replay.mutateAsync({ params: { path: { connection_id: id } }, body: {} }),
  };
}
