import { Badge } from "@/components/ui/badge";
import type { Plugin } from "@/lib/api/models";

export function PluginStanding({ plugin }: { plugin: Plugin }) {
  if (plugin.status === "quarantined") return <Badge tone="danger">In quarantine</Badge>;
  if (plugin.enabled) return <Badge tone="success">Enabled</Badge>;
  return plugin.available ? <Badge>Not enabled</Badge> : <Badge tone="warning">Not in your plan</Badge>;
}
