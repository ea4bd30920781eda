import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import type { Job } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { humanize } from "@/lib/format/words";
import { JobStatusBadge } from "./job-status-badge";

type Streams = NonNullable<NonNullable<Job["progress"]>["streams"]>;

const COUNTERS = [
  ["pages", "Pages"],
  ["rows_read", "Read"],
  ["rows_inserted", "New"],
  ["rows_updated", "Changed"],
  ["rows_unchanged", "Unchanged"],
] as const;

/** Shown only where there are any: most jobs have none, and the table is wide enough. */
const RARE_COUNTERS = [
  ["rows_deleted", "Deleted"],
  ["rechecked", "Rechecked"],
] as const;

/** What a job tells of its streams is its kind's own, so nothing is taken for granted. */
const countOf = (value: unknown) => (typeof value === "number" ? formatCount(value) : "–");

export function JobStreams({ streams }: { streams: Streams | null }) {
  const entries = Object.entries(streams ?? {});
  if (entries.length === 0) return null;
  const rare = RARE_COUNTERS.filter(([name]) => entries.some(([, stream]) => Number(stream[name] ?? 0) > 0));
  const counters = [...COUNTERS, ...rare];
  return (
    <DataTable label="Streams of this job">
      <thead>
        <tr>
          <HeadCell>Stream</HeadCell>
          <HeadCell>Status</HeadCell>
          {counters.map(([name, title]) => (
            <HeadCell key={name} numeric>
              {title}
            </HeadCell>
          ))}
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {entries.map(([name, stream]) => (
          <tr key={name}>
            <Cell className="whitespace-nowrap font-medium">{humanize(name)}</Cell>
            <Cell>{typeof stream.status === "string" && <JobStatusBadge status={stream.status} />}</Cell>
            {counters.map(([counter]) => (
              <Cell key={counter} numeric>
                {countOf(stream[counter])}
              </Cell>
            ))}
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
