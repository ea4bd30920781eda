import { Ban, CircleAlert, CircleCheck, Clock, type LucideIcon, TriangleAlert } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Spinner } from "@/components/ui/spinner";
import { humanize } from "@/lib/format/words";
import { JOB_STATUS } from "./job-status";

const ICONS: Record<string, LucideIcon> = {
  queued: Clock,
  succeeded: CircleCheck,
  partial: TriangleAlert,
  failed: CircleAlert,
  cancelled: Ban,
};

/** Also used for runs and streams, whose states are a subset; an unknown state is shown as the server spells it. */
export function JobStatusBadge({ status }: { status: string }) {
  const known = status in JOB_STATUS ? JOB_STATUS[status as keyof typeof JOB_STATUS] : undefined;
  const Icon = ICONS[status];
  return (
    <Badge tone={known?.tone ?? "neutral"}>
      {status === "running" ? <Spinner className="size-3!" /> : Icon && <Icon aria-hidden className="size-3" />}
      {known?.title ?? humanize(status)}
    </Badge>
  );
}
