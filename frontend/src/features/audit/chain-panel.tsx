"use client";

import { useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { toApiError } from "@/lib/api/problem";
import { PublicKeys } from "./public-keys";
import { auditQueries } from "./queries";
import { RetentionFacts } from "./retention-facts";
import { VerificationResult } from "./verification-result";

export function ChainPanel({ onOpenEvent }: { onOpenEvent: (id: string) => void }) {
  const verification = useQuery(auditQueries.verification());
  const isDenied = verification.isError && toApiError(verification.error).isDenied;
  return (
    <Card className="grid gap-4 p-4">
      <div className="flex flex-wrap items-start gap-3">
        <div className="min-w-0 flex-1">
          <h2 className="font-medium">Chain of seals</h2>
          <p className="max-w-3xl text-muted-foreground text-data">
            Every event is hashed into a signed seal, and each seal into the next: what is changed, added or removed
            afterwards shows.
          </p>
        </div>
        {!isDenied && (
          <Button disabled={verification.isFetching} onClick={() => verification.refetch()}>
            {verification.isFetching ? <Spinner /> : <ShieldCheck aria-hidden />}
            Verify now
          </Button>
        )}
      </div>
      <div role="status" aria-live="polite">
        {verification.isFetching && !verification.data && <p className="text-muted-foreground">Checking the seals…</p>}
        {!verification.isFetching && verification.isPending && (
          <p className="text-muted-foreground">Not verified since this page was opened.</p>
        )}
        {verification.data && !verification.isError && (
          <VerificationResult
            verification={verification.data}
            at={new Date(verification.dataUpdatedAt).toISOString()}
            onOpenEvent={onOpenEvent}
          />
        )}
      </div>
      {verification.isError && <ErrorState error={verification.error} onRetry={() => verification.refetch()} />}
      <details className="border-t pt-3">
        <summary className="min-h-6 w-fit cursor-pointer text-primary">Public key and retention</summary>
        <div className="mt-3 grid items-start gap-x-6 gap-y-4 lg:grid-cols-2">
          <PublicKeys accepted={verification.data?.keys ?? []} />
          <RetentionFacts />
        </div>
      </details>
    </Card>
  );
}
