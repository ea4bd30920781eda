import { Badge } from "@/components/ui/badge";
import type { ApiKey } from "@/lib/api/models";

export function ApiKeyStatus({ status }: { status: ApiKey["status"] }) {
  if (status === "active") return <Badge tone="success">Active</Badge>;
  return status === "expired" ? <Badge tone="warning">Expired</Badge> : <Badge>Revoked</Badge>;
}
