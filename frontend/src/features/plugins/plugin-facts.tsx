import { Badge } from "@/components/ui/badge";
import { Definition, DefinitionList } from "@/components/ui/definition";
import type { PluginDetail } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { featureTitle } from "@/lib/plan-words";

const NONE = <span className="text-muted-foreground">None</span>;

function Names({ names }: { names: readonly string[] }) {
  if (names.length === 0) return NONE;
  return (
    <ul className="grid gap-1">
      {names.map((name) => (
        <li key={name}>
          <code className="break-all font-mono text-xs">{name}</code>
        </li>
      ))}
    </ul>
  );
}

/** What a plugin claims: an administrator should know before enabling it. */
export function PluginFacts({ plugin }: { plugin: PluginDetail }) {
  return (
    <div className="grid gap-4">
      {plugin.description && <p>{plugin.description}</p>}
      <DefinitionList>
        <Definition term="May reach">
          <Names names={plugin.hosts} />
        </Definition>
        <Definition term="Features">
          {plugin.features.length === 0 && NONE}
          <ul className="grid gap-1">
            {plugin.features.map((feature) => (
              <li key={feature.name} className="flex flex-wrap items-center gap-1">
                {featureTitle(feature.name)}
                {!feature.included && <Badge tone="warning">Not in your plan</Badge>}
                {feature.plans.map((plan) => (
                  <Badge key={plan}>{humanize(plan)}</Badge>
                ))}
              </li>
            ))}
          </ul>
        </Definition>
        <Definition term="Permissions">
          {plugin.permissions.length === 0 && NONE}
          <ul className="grid gap-1">
            {plugin.permissions.map((permission) => (
              <li key={permission.name}>
                {permission.description}{" "}
                <code className="font-mono text-muted-foreground text-xs">{permission.name}</code>
              </li>
            ))}
          </ul>
        </Definition>
        {plugin.requires.length > 0 && (
          <Definition term="Needs">
            <Names names={plugin.requires} />
          </Definition>
        )}
      </DefinitionList>
    </div>
  );
}
