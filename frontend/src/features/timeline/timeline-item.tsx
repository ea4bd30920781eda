import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import { ResourceLink } from "@/features/audit/resource-link";
import { EntryStatus } from "./entry-status";
import { auditEventIdOf, entryNotes, entryTitle, jobIdOf } from "./entry-text";
import type { MarkedEntry } from "./marks";
import { SourceBadge } from "./source-badge";

export function TimelineItem({ marked: { entry, sinceStart, took } }: { marked: MarkedEntry }) {
  const jobId = jobIdOf(entry);
  const eventId = auditEventIdOf(entry);
  return (
    <li className="grid gap-x-4 gap-y-1 border-b px-4 py-2.5 text-data last:border-b-0 md:grid-cols-[12rem_7rem_minmax(0,1fr)_auto]">
      <div className="flex items-baseline gap-3 md:grid md:gap-0">
        <Moment at={entry.at} />
        <span className="text-muted-foreground text-xs tabular-nums">{sinceStart}</span>
      </div>
      <div>
        <SourceBadge source={entry.source} />
      </div>
      <div className="grid min-w-0 content-start gap-0.5">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="min-w-0 break-words font-medium">{entryTitle(entry)}</span>
          <EntryStatus source={entry.source} status={entry.status} />
          {took && <span className="text-muted-foreground text-xs">took {took}</span>}
        </p>
        {entryNotes(entry).map((note) => (
          <p key={note} className="break-words text-muted-foreground">
            {note}
          </p>
        ))}
      </div>
      <p className="flex flex-wrap items-start gap-x-3 md:justify-end">
        {jobId && <ResourceLink type="job" id={jobId} />}
        {entry.subject_type === "connection" && entry.subject_id && (
          <ResourceLink type="connection" id={entry.subject_id} />
        )}
        {eventId && <TextLink href={`/audit?event=${eventId}`}>View event</TextLink>}
      </p>
    </li>
  );
}
