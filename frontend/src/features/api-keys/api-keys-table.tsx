import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { RoleBadges } from "@/features/roles/role-badges";
import type { ApiKey } from "@/lib/api/models";
import { ApiKeyActions } from "./api-key-actions";
import { ApiKeyScopes } from "./api-key-scopes";
import { ApiKeyStatus } from "./api-key-status";

export function ApiKeysTable({ keys }: { keys: readonly ApiKey[] }) {
  return (
    <DataTable label="API keys">
      <thead>
        <tr>
          <HeadCell>Key</HeadCell>
          <HeadCell>Kind</HeadCell>
          <HeadCell>Scopes</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell>Last used</HeadCell>
          <HeadCell>Expires</HeadCell>
          <HeadCell>
            <span className="sr-only">Actions</span>
          </HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {keys.map((key) => (
          <tr key={key.id} className="hover:bg-accent/50">
            <Cell className="min-w-44">
              <p className="font-medium">{key.name}</p>
              <p className="font-mono text-muted-foreground text-xs">{key.prefix}…</p>
            </Cell>
            <Cell className="min-w-36">
              <div className="grid justify-items-start gap-1">
                {key.kind === "service" ? <Badge tone="info">Service</Badge> : <Badge>Personal</Badge>}
                {key.roles.length > 0 && <RoleBadges names={key.roles} />}
                {key.created_by && <span className="text-muted-foreground text-xs">by {key.created_by}</span>}
              </div>
            </Cell>
            <Cell className="min-w-40">
              <ApiKeyScopes scopes={key.scopes} />
            </Cell>
            <Cell>
              <ApiKeyStatus status={key.status} />
            </Cell>
            <Cell>
              <Moment at={key.last_used_at} ago />
            </Cell>
            <Cell>
              <Moment at={key.expires_at} />
            </Cell>
            <Cell className="w-px">
              <ApiKeyActions apiKey={key} />
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
