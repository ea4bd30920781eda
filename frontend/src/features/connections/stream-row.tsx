import { Badge } from "@/components/ui/badge";
import { Cell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import { JobStatusBadge } from "@/features/jobs/job-status-badge";
import type { Stream, StreamRun } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { formatCount } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";
import { humanize } from "@/lib/format/words";
import { StreamBesides } from "./stream-besides";

const COUNTERS = ["rows_read", "rows_inserted", "rows_updated", "rows_unchanged", "rows_deleted"] as const;
const NONE = <span className="text-muted-foreground">–</span>;

/** Most cursors are instants; one that is not is shown as the vendor spells it. */
const cursorText = (value: string | null) =>
  value === null ? "The beginning" : /^\d{4}-\d\d-\d\dT/.test(value) ? formatInstant(value) : value;

function RunCell({ run }: { run: StreamRun }) {
  return (
    <div className="grid gap-1">
      <p className="flex items-center gap-2 whitespace-nowrap">
        <JobStatusBadge status={run.status} />
        <Moment at={run.finished_at ?? run.started_at} ago />
      </p>
      {run.reason && (
        <p className="max-w-xs text-muted-foreground text-xs">
          <span className="font-medium text-foreground">{humanize(run.reason.code)}.</span> {run.reason.detail}
        </p>
      )}
      {run.notices.map((notice) => (
        <p key={`${notice.code} ${notice.detail}`} className="max-w-xs text-xs">
          <span className="font-medium text-warning">{humanize(notice.code)}.</span> {notice.detail}
        </p>
      ))}
      <StreamBesides run={run} />
      <p>
        <TextLink href={`/jobs/view?id=${run.job_id}`}>View job</TextLink>
      </p>
    </div>
  );
}

function Landed({ run }: { run: StreamRun }) {
  if (run.landed === null) return NONE;
  const isShort = run.expected !== null && run.landed < run.expected;
  return (
    <span className={cn(isShort && "font-medium text-warning")}>
      {formatCount(run.landed)} / {run.expected === null ? "not told" : formatCount(run.expected)}
    </span>
  );
}

export function StreamRow({ connectionId, stream }: { connectionId: string; stream: Stream }) {
  const { last_run: run, cursor } = stream;
  return (
    <tr>
      <Cell className="min-w-40">
        <p className="font-medium">{stream.title}</p>
        <p className="flex flex-wrap gap-x-3 leading-6">
          {stream.targets.map((table) => (
            <TextLink key={table} href={`/tables/view?t=${encodeURIComponent(table)}`}>
              {humanize(table)}
            </TextLink>
          ))}
          <TextLink href={`/connections/records?id=${connectionId}&stream=${encodeURIComponent(stream.name)}`}>
            Vendor records
          </TextLink>
        </p>
      </Cell>
      <Cell>{run ? <RunCell run={run} /> : <span className="text-muted-foreground">Never ran</span>}</Cell>
      {COUNTERS.map((counter) => (
        <Cell key={counter} numeric>
          {run ? formatCount(run[counter]) : NONE}
        </Cell>
      ))}
      <Cell numeric className="whitespace-nowrap">
        {run ? <Landed run={run} /> : NONE}
      </Cell>
      <Cell>
        {cursor ? (
          <span className="grid justify-items-start gap-1 whitespace-nowrap">
            {cursorText(cursor.value)}
            {cursor.pending && <Badge tone="warning">Unfinished</Badge>}
          </span>
        ) : (
          NONE
        )}
      </Cell>
    </tr>
  );
}
