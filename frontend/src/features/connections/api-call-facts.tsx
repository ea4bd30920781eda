import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { ApiCall } from "@/lib/api/models";
import { formatBytes } from "@/lib/format/bytes";
import { formatCount } from "@/lib/format/number";
import { humanize } from "@/lib/format/words";
import { ApiCallStatusBadge } from "./api-call-status-badge";

export function ApiCallFacts({ call }: { call: ApiCall }) {
  return (
    <div className="grid gap-5">
      <DefinitionList>
        <Definition term="Request">
          <span className="flex items-start gap-1 font-mono text-xs">
            <span className="break-all">
              {call.method} {call.url}
            </span>
            <CopyButton value={call.url} label="Copy address" />
          </span>
        </Definition>
        <Definition term="Status">
          <ApiCallStatusBadge status={call.status} />
        </Definition>
        {call.error_code && <Definition term="Error">{humanize(call.error_code)}</Definition>}
        <Definition term="Sent">
          <Moment at={call.at} />
        </Definition>
        <Definition term="Took">{formatCount(Math.round(call.duration_ms))} ms</Definition>
        <Definition term="Attempt">{call.attempt}</Definition>
        <Definition term="Sent bytes">{formatBytes(call.request_bytes)}</Definition>
        <Definition term="Received bytes">
          {call.response_bytes === null ? "No complete answer" : formatBytes(call.response_bytes)}
        </Definition>
        {call.cost !== null && <Definition term="Cost">{call.cost}</Definition>}
        {call.job_id && (
          <Definition term="Job">
            <TextLink href={`/jobs/view?id=${call.job_id}`}>View job</TextLink>
          </Definition>
        )}
        {call.correlation_id && (
          <Definition term="Correlation id">
            <span className="flex items-start gap-1 font-mono text-xs">
              <span className="break-all">{call.correlation_id}</span>
              <CopyButton value={call.correlation_id} label="Copy correlation id" />
            </span>
          </Definition>
        )}
      </DefinitionList>
      <section aria-labelledby="excerpt" className="grid gap-2">
        <h3 id="excerpt" className="font-medium">
          Beginning of the answer
        </h3>
        {call.excerpt ? (
          <pre className="whitespace-pre-wrap break-all rounded-md border bg-card p-3 font-mono text-xs leading-5">
            {call.excerpt}
          </pre>
        ) : (
          <p className="text-muted-foreground">Kept only of answers that were errors.</p>
        )}
      </section>
    </div>
  );
}
