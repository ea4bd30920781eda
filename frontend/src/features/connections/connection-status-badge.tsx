import { Badge, type Tone } from "@/components/ui/badge";
import type { ConnectionStatus } from "@/lib/api/models";

const LOOKS: Record<ConnectionStatus, { title: string; tone: Tone }> = {
  pending: { title: "Not tested", tone: "neutral" },
  active: { title: "Active", tone: "success" },
  error: { title: "Error", tone: "danger" },
  needs_reauth: { title: "Needs new credentials", tone: "warning" },
  revoked: { title: "Revoked", tone: "neutral" },
};

export function ConnectionStatusBadge({ status }: { status: ConnectionStatus }) {
  const { title, tone } = LOOKS[status];
  return (
    <Badge tone={tone}>
      <span aria-hidden className="size-1.5 rounded-full bg-current" />
      {title}
    </Badge>
  );
}
