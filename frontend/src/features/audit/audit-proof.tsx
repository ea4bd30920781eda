import { Alert } from "@/components/ui/alert";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { JsonTree } from "@/components/ui/json-tree";
import { Moment } from "@/components/ui/moment";
import type { AuditEventDetail } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { CopyableCode } from "./copyable-code";

type Proof = NonNullable<AuditEventDetail["proof"]>;

function explain({ path, seal }: Proof): string {
  const key = `the key ${seal.key_id}`;
  if (!path) {
    return `The events of seal ${formatCount(seal.sequence)} as they are in the database do not give the root that ${key} signed. Either some were moved to an archive, or one was changed, added or removed: verify the log to learn which.`;
  }
  if (path.length === 0) {
    return `It is the only event of seal ${formatCount(seal.sequence)}: its hash is the root that ${key} signed, so it cannot be changed or removed without that showing.`;
  }
  return `Its hash, combined with ${formatCount(path.length)} ${plural(path.length, "neighbouring hash", "neighbouring hashes")}, gives the root over ${formatCount(seal.event_count)} events that ${key} signed, so it cannot be changed or removed without that showing.`;
}

export function AuditProof({ event: { proof } }: { event: AuditEventDetail }) {
  return (
    <section aria-labelledby="audit-proof" className="grid gap-3">
      <h3 id="audit-proof" className="font-medium">
        Seal and proof
      </h3>
      {!proof && (
        <p className="text-muted-foreground">
          No seal covers this event yet. Events are sealed a second or so after they are written.
        </p>
      )}
      {proof && (
        <>
          <Alert
            tone={proof.path ? "success" : "warning"}
            title={proof.path ? "This event is in its seal" : "There is no proof of this event here"}
          >
            {explain(proof)}
          </Alert>
          <DefinitionList>
            <Definition term="Seal">{formatCount(proof.seal.sequence)}</Definition>
            <Definition term="Sealed">
              <Moment at={proof.seal.sealed_at} />
            </Definition>
            <Definition term="Root">
              <CopyableCode value={proof.seal.root} what="root" />
            </Definition>
            <Definition term="Seal's hash">
              <CopyableCode value={proof.seal.hash} what="hash of the seal" />
            </Definition>
            <Definition term="Key">
              <CopyableCode value={proof.seal.key_id} what="key id" />
            </Definition>
            <Definition term="Signature">
              <CopyableCode value={proof.seal.signature} what="signature" />
            </Definition>
          </DefinitionList>
          <details>
            <summary className="min-h-6 w-fit cursor-pointer text-primary">Check it yourself</summary>
            <div className="mt-2 grid gap-3">
              <p className="text-muted-foreground">
                Hash this line with SHA-256, and that with a zero byte in front; then with each neighbour in turn, on
                its side, with a byte of one in front. The result is the root.
              </p>
              <CopyableCode value={proof.line} what="hashed line" />
              {proof.path && proof.path.length > 0 && <JsonTree value={proof.path} />}
              <p className="text-muted-foreground">The key signed this statement, which names the root:</p>
              <CopyableCode value={proof.seal.statement} what="signed statement" />
            </div>
          </details>
        </>
      )}
    </section>
  );
}
