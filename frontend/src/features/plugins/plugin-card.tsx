import { Badge } from "@/components/ui/badge";
import { useMay } from "@/features/shell/use-may";
import type { Plugin } from "@/lib/api/models";
import { humanize, plural } from "@/lib/format/words";
import { PluginDetailsButton } from "./plugin-details-button";
import { PluginStanding } from "./plugin-standing";
import { PluginSwitch } from "./plugin-switch";

function contributions(plugin: Plugin): string[] {
  return Object.entries(plugin.contributes).flatMap(([kind, names]) =>
    names.length > 0
      ? [`${names.length} ${plural(names.length, kind.replace(/s$/, ""), kind)}: ${names.map(humanize).join(", ")}`]
      : [],
  );
}

export function PluginCard({ plugin }: { plugin: Plugin }) {
  const mayManage = useMay("plugins.manage");
  const lines = contributions(plugin);
  return (
    <li className="flex flex-col gap-3 rounded-lg border bg-card p-4">
      <div className="flex flex-wrap items-start gap-x-3 gap-y-1">
        <div className="min-w-0 flex-1">
          <h2 className="font-medium">{plugin.title}</h2>
          <p className="text-data text-muted-foreground">
            {plugin.publisher} · {plugin.version}
          </p>
        </div>
        <PluginStanding plugin={plugin} />
      </div>
      {plugin.reason && <p className="text-danger text-data">{plugin.reason}</p>}
      {lines.length > 0 && (
        <ul className="text-data text-muted-foreground">
          {lines.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {plugin.plans_needed.length > 0 && (
        <p className="flex flex-wrap items-center gap-1 text-data text-muted-foreground">
          Included in
          {plugin.plans_needed.map((plan) => (
            <Badge key={plan}>{humanize(plan)}</Badge>
          ))}
        </p>
      )}
      <div className="mt-auto flex flex-wrap gap-2">
        {mayManage && plugin.status === "active" && <PluginSwitch plugin={plugin} />}
        <PluginDetailsButton plugin={plugin} />
      </div>
    </li>
  );
}
