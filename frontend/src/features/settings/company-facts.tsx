import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import type { Tenant } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";

export function CompanyFacts({ tenant, withEditable }: { tenant: Tenant; withEditable: boolean }) {
  return (
    <DefinitionList>
      {withEditable && (
        <>
          <Definition term="Name">{tenant.name}</Definition>
          <Definition term="Time zone">{tenant.timezone}</Definition>
          <Definition term="Currency">{tenant.default_currency}</Definition>
        </>
      )}
      <Definition term="Short name">
        <span className="font-mono text-xs">{tenant.slug}</span>
      </Definition>
      <Definition term="Status">{humanize(tenant.status)}</Definition>
      <Definition term="Created">
        <Moment at={tenant.created_at} />
      </Definition>
    </DefinitionList>
  );
}
