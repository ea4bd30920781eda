import { CopyButton } from "@/components/ui/copy-button";
import { JsonTree } from "@/components/ui/json-tree";
import type { AuditEventDetail } from "@/lib/api/models";

export function AuditPayload({ payload }: { payload: AuditEventDetail["payload"] }) {
  return (
    <section aria-labelledby="audit-payload" className="grid gap-1">
      <div className="flex items-center justify-between">
        <h3 id="audit-payload" className="font-medium">
          Payload
        </h3>
        <CopyButton value={JSON.stringify(payload, null, 2)} label="Copy payload" />
      </div>
      {Object.keys(payload).length > 0 ? (
        <JsonTree value={payload} />
      ) : (
        <p className="text-muted-foreground">This event carries nothing more.</p>
      )}
    </section>
  );
}
