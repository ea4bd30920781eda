"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { toApiError } from "@/lib/api/problem";
import { HOME } from "@/lib/safe-next";
import { onMovedElsewhere } from "@/lib/session-channel";
import { sessionQueries } from "./queries";

/** Keeps tenant pages from asking for anything before the session is known; the API enforces it again. */
export function AuthGate({ children }: { children: ReactNode }) {
  const me = useQuery(sessionQueries.me());
  // Tabs share one session: this one would show the former tenant's name above the other's rows.
  useEffect(() => onMovedElsewhere(() => location.assign(HOME)), []);
  if (me.isSuccess) return children;
  const failed = me.isError && toApiError(me.error).status !== 401;
  return (
    <main className="p-6">
      <h1 className="sr-only">Counterfoil</h1>
      {failed ? <ErrorState error={me.error} onRetry={() => me.refetch()} /> : <PageSkeleton />}
    </main>
  );
}
