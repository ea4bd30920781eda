"use client";

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, useState } from "react";
import { planQueries } from "@/features/settings/queries";
import { toApiError } from "@/lib/api/problem";
import { loginPath } from "@/lib/safe-next";
import { Notifications } from "./notifications";

/** A full navigation, so that nothing of this session stays in memory for whoever signs in next. */
function leaveWhenSignedOut(error: unknown): void {
  if (toApiError(error).status === 401) location.assign(loginPath(location));
}

const mayPass = (error: unknown) => {
  const { status } = toApiError(error);
  return status === 0 || status >= 500;
};

const PLAN_IS_OVER = ["trial_expired", "plan_expired"];

function createQueryClient(): QueryClient {
  const queryClient: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: leaveWhenSignedOut }),
    mutationCache: new MutationCache({
      onError: (error) => {
        leaveWhenSignedOut(error);
        // It ended while the page was open: the banner should say so from now on.
        if (PLAN_IS_OVER.includes(toApiError(error).code)) {
          queryClient.invalidateQueries({ queryKey: planQueries.plan().queryKey });
        }
      },
    }),
    defaultOptions: { queries: { staleTime: 15_000, retry: (count, error) => count < 1 && mayPass(error) } },
  });
  return queryClient;
}

export function Providers({ children }: { children: ReactNode }) {
  const [queryClient] = useState(createQueryClient);
  return (
    <QueryClientProvider client={queryClient}>
      <NuqsAdapter>{children}</NuqsAdapter>
      <Notifications />
    </QueryClientProvider>
  );
}
