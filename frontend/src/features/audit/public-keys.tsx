"use client";

import { useQuery } from "@tanstack/react-query";
import { Badge } from "@/components/ui/badge";
import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Skeleton } from "@/components/ui/skeleton";
import type { AuditVerification } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { CopyableCode } from "./copyable-code";
import { auditQueries } from "./queries";

/** `accepted` is what a verification says: the present key and those before it. Until there was one, the present key alone. */
export function PublicKeys({ accepted }: { accepted: AuditVerification["keys"] }) {
  const key = useQuery(auditQueries.key());
  const current = key.data && { id: key.data.key_id, public_key: key.data.public_key, is_current: true };
  const keys = accepted.length > 0 ? accepted : current ? [current] : [];
  return (
    <section aria-labelledby="audit-keys" className="grid gap-2">
      <h3 id="audit-keys" className="font-medium">
        Public {keys.length > 1 ? "keys" : "key"}
      </h3>
      {key.isPending && keys.length === 0 && (
        <div role="status" aria-label="Loading the key">
          <Skeleton className="h-12" />
        </div>
      )}
      {key.isError && keys.length === 0 && <p className="text-danger">{toApiError(key.error).message}</p>}
      {keys.map((one) => (
        <DefinitionList key={one.id}>
          <Definition term="Key">
            <span className="flex flex-wrap items-center gap-x-2">
              <code className="font-mono text-xs">{one.id}</code>
              {one.is_current ? <Badge tone="success">Signs now</Badge> : <Badge>Signed before</Badge>}
            </span>
          </Definition>
          <Definition term="Ed25519, base64">
            <CopyableCode value={one.public_key} what={`public key ${one.id}`} />
          </Definition>
          {key.data?.key_id === one.id && (
            <Definition term="PEM">
              <span className="flex items-center gap-1">
                For OpenSSL and its like
                <CopyButton value={key.data.public_key_pem} label={`Copy public key ${one.id} as PEM`} />
              </span>
            </Definition>
          )}
        </DefinitionList>
      ))}
      {keys.length > 0 && (
        <p className="text-muted-foreground text-xs">
          Keep a copy outside this system: with it anybody can check the seals without trusting this server.
        </p>
      )}
    </section>
  );
}
