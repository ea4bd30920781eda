"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { planQueries } from "@/features/settings/queries";
import { sessionQueries } from "@/features/shell/queries";

/** Whatever was done to whomever: it may have been oneself, and the plan counts members. */
export function useMembersChanged() {
  const queryClient = useQueryClient();
  return useCallback(
    () =>
      Promise.all(
        [
          ["get", "/api/v1/users"],
          ["get", "/api/v1/users/invitations"],
          sessionQueries.me().queryKey,
          planQueries.plan().queryKey,
        ].map((queryKey) => queryClient.invalidateQueries({ queryKey })),
      ),
    [queryClient],
  );
}
