import { Badge, type Tone } from "@/components/ui/badge";
import { sourceTitle } from "./entry-text";

const TONES: Record<string, Tone> = { job: "info", audit_event: "warning" };

export const SourceBadge = ({ source }: { source: string }) => (
  <Badge tone={TONES[source] ?? "neutral"}>{sourceTitle(source)}</Badge>
);
