"use client";

import { useQuery } from "@tanstack/react-query";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Skeleton } from "@/components/ui/skeleton";
import { useMay } from "@/features/shell/use-may";
import { EvidenceAttempt } from "./evidence-attempt";
import { EvidenceFacts } from "./evidence-facts";
import { evidenceQueries } from "./evidence-queries";

const POLL_MS = 1_500;

/** Everything a finished sync read, sealed in one file that can be checked without this product's database. */
export function EvidenceCard({ jobId }: { jobId: string }) {
  const mayRead = useMay("evidence.read");
  const evidence = useQuery({
    ...evidenceQueries.of(jobId),
    enabled: mayRead,
    refetchInterval: ({ state }) => (state.data?.state === "preparing" ? POLL_MS : false),
  });
  if (!mayRead) return null;
  return (
    <Card className="grid gap-3 p-4">
      <h2 className="font-medium">Evidence</h2>
      {evidence.isPending && (
        <div role="status" aria-label="Loading">
          <Skeleton className="h-16" />
        </div>
      )}
      {evidence.isError && !evidence.data && <ErrorState error={evidence.error} onRetry={() => evidence.refetch()} />}
      {evidence.data &&
        (evidence.data.pack ? (
          <EvidenceFacts jobId={jobId} pack={evidence.data.pack} />
        ) : (
          <EvidenceAttempt jobId={jobId} evidence={evidence.data} />
        ))}
    </Card>
  );
}
