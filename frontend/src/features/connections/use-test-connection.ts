"use client";

import { $api } from "@/lib/api/query";
import { useConnectionChanged } from "./use-connection-changed";

export function useTestConnection(id: string) {
  const changed = useConnectionChanged();
  const test = $api.useMutation("post", "/api/v1/connections/{connection_id}/test", { onSettled: () => changed(id) });
  return { ...test, run: () => test.mutate({ params: { path: { connection_id: id } } }) };
}
