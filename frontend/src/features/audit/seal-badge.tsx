import { Clock, ShieldCheck } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { AuditEvent } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";

export function SealBadge({ seal }: { seal: AuditEvent["seal"] }) {
  if (!seal) {
    return (
      <Badge title="An event is sealed a second or so after it is written">
        <Clock aria-hidden className="size-3" />
        Not yet sealed
      </Badge>
    );
  }
  return (
    <Badge tone="info" title={`Sealed ${formatInstant(seal.sealed_at)} UTC`}>
      <ShieldCheck aria-hidden className="size-3" />
      Seal {formatCount(seal.sequence)}
    </Badge>
  );
}
