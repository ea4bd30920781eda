import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { AuditEventDetail } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { CopyableCode } from "./copyable-code";
import { OutcomeBadge } from "./outcome-badge";
import { ResourceLink } from "./resource-link";

const only = (filters: Record<string, string>) => `/audit?${new URLSearchParams(filters)}` as const;

export function AuditEventFacts({ event }: { event: AuditEventDetail }) {
  const { actor, resource_type: type, resource_id: resource } = event;
  return (
    <DefinitionList>
      <Definition term="Time">
        <Moment at={event.occurred_at} />
      </Definition>
      <Definition term="Action">
        <code className="break-all font-mono text-xs">{event.action}</code>
      </Definition>
      <Definition term="Category">{humanize(event.category)}</Definition>
      <Definition term="Outcome">
        <OutcomeBadge outcome={event.outcome} />
      </Definition>
      {event.reason && <Definition term="Reason">{event.reason}</Definition>}
      <Definition term="Actor">
        {actor.label} <span className="text-muted-foreground">{humanize(actor.kind)}</span>
        {actor.id && <CopyableCode value={actor.id} what="actor id" />}
        <p>
          <TextLink href={only({ actor: actor.id ?? actor.label })}>Everything by this actor</TextLink>
        </p>
      </Definition>
      {type && (
        <Definition term="Resource">
          {humanize(type)}
          {resource && <CopyableCode value={resource} what="resource id" />}
          <p className="flex flex-wrap gap-x-4">
            {resource && <ResourceLink type={type} id={resource} />}
            <TextLink href={only({ resource_type: type, ...(resource && { resource_id: resource }) })}>
              Everything on this resource
            </TextLink>
          </p>
        </Definition>
      )}
      {event.correlation_id && (
        <Definition term="Correlation id">
          <CopyableCode value={event.correlation_id} what="correlation id" />
          <TextLink href={`/timeline?id=${event.correlation_id}`}>View timeline</TextLink>
        </Definition>
      )}
      {event.job_id && (
        <Definition term="Job">
          <CopyableCode value={event.job_id} what="job id" />
          <ResourceLink type="job" id={event.job_id} />
        </Definition>
      )}
      {event.client_ip && (
        <Definition term="Client address">
          <code className="font-mono text-xs">{event.client_ip}</code>
        </Definition>
      )}
    </DefinitionList>
  );
}
