"use client";

import { $api } from "@/lib/api/query";
import { useConnectionChanged } from "./use-connection-changed";
import { useReportFailure } from "./use-report-failure";

export function useSyncConnection(id: string) {
  const changed = useConnectionChanged();
  const reportFailure = useReportFailure();
  const sync = $api.useMutation("post", "/api/v1/connections/{connection_id}/sync", {
    onSuccess: () => changed(id),
    onError: reportFailure,
  });
  const params = { path: { connection_id: id } };
  return {
    isPending: sync.isPending,
    sync: () => sync.mutateAsync({ params, body: { mode: "incremental" } }),
    backfill: () => sync.mutateAsync({ params, body: { mode: "backfill" } }),
    full: () => sync.mutateAsync({ params, body: { mode: "full" } }),
  };
}

export function useReplayConnection(id: string) {
  const changed = useConnectionChanged();
  const reportFailure = useReportFailure();
  const replay = $api.useMutation("post", "/api/v1/connections/{connection_id}/replay", {
    onSuccess: () => changed(id),
    onError: reportFailure,
  });
  return {
    isPending: replay.isPending,
    replay: () => replay.mutateAsync({ params: { path: { connection_id: id } }, body: {} }),
  };
}
