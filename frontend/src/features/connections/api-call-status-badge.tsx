import { Badge, type Tone } from "@/components/ui/badge";

const toneOf = (status: number): Tone => (status >= 500 ? "danger" : status >= 400 ? "warning" : "success");

export function ApiCallStatusBadge({ status }: { status: number | null }) {
  if (status === null) return <Badge tone="danger">No answer</Badge>;
  return <Badge tone={toneOf(status)}>{status}</Badge>;
}
