"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import { planQueries } from "@/features/settings/queries";
import { $api } from "@/lib/api/query";

export const useApiKeys = () =>
  $api.useInfiniteQuery(
    "get",
    "/api/v1/api-keys",
    { params: { query: { limit: 100 } } },
    {
      pageParamName: "cursor",
      // null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
      initialPageParam: null,
      getNextPageParam: (page) => page.next_cursor ?? undefined,
    },
  );

/** The plan counts keys that have not ended. */
export function useApiKeysChanged() {
  const queryClient = useQueryClient();
  return useCallback(
    () =>
      Promise.all(
        [["get", "/api/v1/api-keys"], planQueries.plan().queryKey].map((queryKey) =>
          queryClient.invalidateQueries({ queryKey }),
        ),
      ),
    [queryClient],
  );
}
