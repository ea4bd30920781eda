import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { ApiCall } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { humanize } from "@/lib/format/words";
import { ApiCallStatusBadge } from "./api-call-status-badge";

type ApiCallsTableProps = { calls: readonly ApiCall[]; onOpen: (id: string) => void };

/** The host is the same on every line: what tells requests apart is path and query. */
function pathOf(url: string): string {
  const at = URL.canParse(url) ? new URL(url) : null;
  return at ? decodeURI(at.pathname) + at.search : url;
}

const NONE = <span className="text-muted-foreground">–</span>;

export function ApiCallsTable({ calls, onOpen }: ApiCallsTableProps) {
  return (
    <DataTable label="Requests to the vendor">
      <thead>
        <tr>
          <HeadCell>Sent</HeadCell>
          <HeadCell>Request</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell numeric>Took</HeadCell>
          <HeadCell numeric>Attempt</HeadCell>
          <HeadCell>Error</HeadCell>
          <HeadCell>Job</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {calls.map((call) => (
          <tr key={call.id} className="hover:bg-accent/50">
            <Cell>
              <Moment at={call.at} />
            </Cell>
            <Cell className="min-w-72">
              <button
                type="button"
                title={call.url}
                onClick={() => onOpen(call.id)}
                className="block min-h-6 max-w-[60vw] cursor-pointer truncate text-left font-mono text-primary text-xs underline decoration-primary/40 underline-offset-4 hover:decoration-primary md:max-w-md"
              >
                {call.method} {pathOf(call.url)}
              </button>
            </Cell>
            <Cell>
              <ApiCallStatusBadge status={call.status} />
            </Cell>
            <Cell numeric className="whitespace-nowrap">
              {formatCount(Math.round(call.duration_ms))} ms
            </Cell>
            <Cell numeric>{call.attempt}</Cell>
            <Cell className="whitespace-nowrap">
              {call.error_code ? <span className="text-danger">{humanize(call.error_code)}</span> : NONE}
            </Cell>
            <Cell className="whitespace-nowrap">
              {call.job_id ? <TextLink href={`/jobs/view?id=${call.job_id}`}>View job</TextLink> : NONE}
            </Cell>
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
