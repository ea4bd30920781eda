import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { JsonTree } from "@/components/ui/json-tree";
import { Moment } from "@/components/ui/moment";
import type { RowDetail } from "@/lib/api/models";

export function RowRaw({ raw }: { raw: RowDetail["raw"] }) {
  if (!raw) return <p className="text-muted-foreground">No raw record is kept for this row.</p>;
  return (
    <div className="grid gap-4">
      <DefinitionList>
        <Definition term="Stream">{raw.stream}</Definition>
        <Definition term="Source id">
          <code className="font-mono text-xs">{raw.source_id}</code>
        </Definition>
        <Definition term="Observed">
          <Moment at={raw.observed_at} />
        </Definition>
        <Definition term="Changed">
          <Moment at={raw.changed_at} />
        </Definition>
        <Definition term="Content hash">
          <code className="break-all font-mono text-xs">{raw.content_hash}</code>
        </Definition>
      </DefinitionList>
      <div>
        <div className="mb-1 flex items-center justify-between">
          <h3 className="font-medium">Record as the vendor sent it</h3>
          <CopyButton value={JSON.stringify(raw.payload, null, 2)} label="Copy raw record" />
        </div>
        <JsonTree value={raw.payload} />
      </div>
    </div>
  );
}
