"use client";

import { useQuery } from "@tanstack/react-query";
import { CopyButton } from "@/components/ui/copy-button";
import { evidenceQueries } from "./evidence-queries";

/** How to check a pack offline. Without the key, or with one of another time, the command only names its place. */
export function EvidenceCheck({ jobId, keyId }: { jobId: string; keyId: string }) {
  const key = useQuery(evidenceQueries.key());
  const isSigner = key.data?.key_id === keyId;
  const command = `counterfoil evidence verify evidence-${jobId}.zip --public-key ${isSigner && key.data ? key.data.public_key : "KEY"}`;
  return (
    <div className="grid gap-1 text-data text-muted-foreground">
      <p>
        Check it offline, with the key of{" "}
        <a
          href="/api/v1/evidence/key"
          className="text-primary underline decoration-primary/40 underline-offset-4 hover:decoration-primary"
        >
          GET /api/v1/evidence/key
        </a>{" "}
        kept where the pack is not:
      </p>
      <p className="flex items-start gap-1 font-mono text-foreground text-xs">
        <span className="break-all">{command}</span>
        <CopyButton value={command} label="Copy the command" />
      </p>
      {key.data && !isSigner && <p>This pack was signed with a key of another time: take the one you kept then.</p>}
    </div>
  );
}
