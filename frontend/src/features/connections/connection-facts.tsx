import { Card } from "@/components/ui/card";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import type { Connection } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";

const settingText = (value: unknown): string =>
  typeof value === "boolean" ? (value ? "Yes" : "No") : typeof value === "string" ? value : JSON.stringify(value);

export function ConnectionFacts({ connection }: { connection: Connection }) {
  const settings = Object.entries(connection.settings).filter(([, value]) => value !== null);
  return (
    <Card className="grid gap-3 p-4">
      <h2 className="font-medium">Details</h2>
      <DefinitionList wide>
        <Definition term="Provider">{humanize(connection.kind)}</Definition>
        <Definition term="Account">
          {connection.external_account_label ?? "Not known yet"}
          {connection.external_account_id && (
            <span className="block font-mono text-muted-foreground text-xs">{connection.external_account_id}</span>
          )}
        </Definition>
        <Definition term="Last test">
          <Moment at={connection.last_check_at} ago />
        </Definition>
        <Definition term="Last sync">
          <Moment at={connection.last_synced_at} ago />
        </Definition>
        <Definition term="Created">
          <Moment at={connection.created_at} />
        </Definition>
        {settings.map(([name, value]) => (
          <Definition key={name} term={humanize(name)}>
            {settingText(value)}
          </Definition>
        ))}
      </DefinitionList>
    </Card>
  );
}
