import { Ban, CircleAlert, CircleCheck, type LucideIcon } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import type { AuditOutcome } from "@/lib/api/models";
import { OUTCOME } from "./outcome";

const ICONS: Record<AuditOutcome, LucideIcon> = { ok: CircleCheck, denied: Ban, error: CircleAlert };

export function OutcomeBadge({ outcome }: { outcome: AuditOutcome }) {
  const { title, tone } = OUTCOME[outcome];
  const Icon = ICONS[outcome];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden className="size-3" />
      {title}
    </Badge>
  );
}
