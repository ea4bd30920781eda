import { Alert } from "@/components/ui/alert";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import type { AuditVerification } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { formatDuration } from "@/lib/format/time";
import { plural } from "@/lib/format/words";
import { CopyableCode } from "./copyable-code";
import { Findings } from "./findings";

type VerificationResultProps = {
  verification: AuditVerification;
  at: string;
  onOpenEvent: (id: string) => void;
};

const counted = (count: number, one: string) => `${formatCount(count)} ${plural(count, one)}`;

function headline({ ok, checked, findings, findings_left_out }: AuditVerification): string {
  if (!ok) return `${counted(findings.length + findings_left_out, "finding")}: the record is not what was sealed`;
  if (checked.last_sequence === null) return "There is no seal to verify yet";
  const what = checked.is_whole_chain ? "nothing" : "of what was checked, nothing";
  return `Verified up to seal ${formatCount(checked.last_sequence)}: ${what} was changed, added or removed`;
}

function extent({ checked }: AuditVerification): string {
  const parts = [counted(checked.seals, "seal"), counted(checked.events, "event")];
  if (checked.anchors > 0) parts.push(counted(checked.anchors, "anchor"));
  if (checked.archives > 0) parts.push(counted(checked.archives, "archive"));
  const what = `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)} were checked`;
  if (checked.is_whole_chain) return `${what}: the whole chain.`;
  const from = checked.first_sequence === null ? "" : `, from seal ${formatCount(checked.first_sequence)} on`;
  return `${what}${from}. The whole chain is checked by counterfoil audit verify.`;
}

export function VerificationResult({ verification, at, onOpenEvent }: VerificationResultProps) {
  const { ok, newest_seal: newest, unsealed, checked } = verification;
  return (
    <div className="grid gap-4">
      <Alert
        tone={ok ? (checked.last_sequence === null ? "info" : "success") : "danger"}
        title={headline(verification)}
      >
        {checked.last_sequence !== null && extent(verification)}
      </Alert>
      <Findings findings={verification.findings} leftOut={verification.findings_left_out} onOpenEvent={onOpenEvent} />
      {unsealed.is_late && (
        <Alert tone="warning" title="Sealing is late">
          Events should be sealed within a minute. Until they are, nothing proves them.
        </Alert>
      )}
      <DefinitionList>
        <Definition term="Verified">
          <Moment at={at} />
        </Definition>
        {newest && (
          <Definition term="Newest seal">
            {formatCount(newest.sequence)}, sealed <Moment at={newest.sealed_at} />
          </Definition>
        )}
        <Definition term="Not yet sealed">
          {unsealed.count === 0 ? "None" : counted(unsealed.count, "event")}
          {unsealed.oldest_at && `, the oldest for ${formatDuration(unsealed.oldest_at, at)}`}
        </Definition>
        {newest && (
          <Definition term="Newest seal's hash">
            <CopyableCode value={newest.hash} what="hash of the newest seal" />
          </Definition>
        )}
      </DefinitionList>
    </div>
  );
}
