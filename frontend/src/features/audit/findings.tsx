import type { AuditFinding } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { humanize, plural } from "@/lib/format/words";

const MAX_EVENTS = 10;

type FindingsProps = { findings: readonly AuditFinding[]; leftOut: number; onOpenEvent: (id: string) => void };

export function Findings({ findings, leftOut, onOpenEvent }: FindingsProps) {
  if (findings.length === 0) return null;
  return (
    <ul aria-label="Findings" className="grid gap-2">
      {findings.map((finding) => (
        <li
          key={`${finding.code} ${finding.sequence} ${finding.event_ids.join()}`}
          className="grid gap-1 rounded-md border border-danger/40 bg-danger-soft p-3 text-data"
        >
          <p className="font-medium text-danger">
            {humanize(finding.code)}
            {finding.sequence !== null && `, seal ${formatCount(finding.sequence)}`}
          </p>
          <p>{finding.detail}</p>
          {finding.event_ids.length > 0 && (
            <ul aria-label="Events of this finding" className="grid justify-items-start gap-1">
              {finding.event_ids.slice(0, MAX_EVENTS).map((id) => (
                <li key={id}>
                  <button
                    type="button"
                    onClick={() => onOpenEvent(id)}
                    className="min-h-6 cursor-pointer break-all text-left font-mono text-primary text-xs underline underline-offset-4"
                  >
                    {id}
                  </button>
                </li>
              ))}
              {finding.event_ids.length > MAX_EVENTS && (
                <li>and {formatCount(finding.event_ids.length - MAX_EVENTS)} more</li>
              )}
            </ul>
          )}
        </li>
      ))}
      {leftOut > 0 && (
        <li className="text-danger">
          {formatCount(leftOut)} {plural(leftOut, "finding")} more; counterfoil audit verify lists them all.
        </li>
      )}
    </ul>
  );
}
