"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { connectionQueries } from "./queries";

/** After anything was done to a connection, whatever shows it asks again. */
export function useConnectionChanged() {
  const queryClient = useQueryClient();
  return useCallback(
    (id: string) =>
      Promise.all(
        [
          connectionQueries.list(),
          connectionQueries.detail(id),
          connectionQueries.streams(id),
          connectionQueries.cursors(id),
          connectionQueries.budget(id),
        ].map(({ queryKey }) => queryClient.invalidateQueries({ queryKey })),
      ),
    [queryClient],
  );
}
