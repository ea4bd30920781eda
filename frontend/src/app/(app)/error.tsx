"use client";

import { useEffect } from "react";
import { ErrorState } from "@/components/ui/error-state";
import { isStaleChunk, reloadOnce } from "@/lib/stale-chunk";

export default function ErrorPage({ error, reset }: { error: Error; reset: () => void }) {
  useEffect(() => {
    if (isStaleChunk(error)) reloadOnce();
  }, [error]);
  return <ErrorState error={error} onRetry={reset} />;
}
