import { Download } from "lucide-react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import type { EvidencePack } from "@/lib/api/models";
import { formatBytes } from "@/lib/format/bytes";
import { formatCount } from "@/lib/format/number";
import { EvidenceCheck } from "./evidence-check";

type Tally = EvidencePack["records"];

/** Fewer in the pack than landed means that a later sync changed the rest before the pack was made: they are in its evidence. */
function TallyText({ tally }: { tally: Tally }) {
  const held = formatCount(tally.in_this_pack);
  if (tally.landed === null) return <>{held}; the sync was cut off before it counted what landed</>;
  if (tally.landed === tally.in_this_pack) return <>{held}, all that landed</>;
  return (
    <span className="text-warning">
      {held} of {formatCount(tally.landed)} that landed; later syncs changed the others
    </span>
  );
}

export function EvidenceFacts({ jobId, pack }: { jobId: string; pack: EvidencePack }) {
  return (
    <>
      <DefinitionList>
        <Definition term="As of">
          <Moment at={pack.as_of} />
        </Definition>
        <Definition term="Made">
          <Moment at={pack.created_at} />
        </Definition>
        <Definition term="Vendor records">
          <TallyText tally={pack.records} />
        </Definition>
        <Definition term="Rows">
          <TallyText tally={pack.rows} />
        </Definition>
        <Definition term="Kept until">
          {pack.retention_until ? <Moment at={pack.retention_until} /> : "No end is set"}
        </Definition>
        <Definition term="SHA-256">
          <span className="flex items-start gap-1 font-mono text-xs">
            <span className="break-all">{pack.sha256}</span>
            <CopyButton value={pack.sha256} label="Copy SHA-256" />
          </span>
        </Definition>
        <Definition term="Signed with">
          <code className="break-all font-mono text-xs">{pack.key_id}</code>
        </Definition>
      </DefinitionList>
      <Button asChild className="w-fit">
        <a href={`/api/v1/jobs/${encodeURIComponent(jobId)}/evidence/download`} download>
          <Download aria-hidden />
          Download pack ({formatBytes(pack.size)})
        </a>
      </Button>
      <EvidenceCheck jobId={jobId} keyId={pack.key_id} />
    </>
  );
}
