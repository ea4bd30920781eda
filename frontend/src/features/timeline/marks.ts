import type { TimelineEntry } from "@/lib/api/models";
import { formatDuration } from "@/lib/format/time";

export type MarkedEntry = { key: string; entry: TimelineEntry; sinceStart: string; took: string | null };

/** Within one request things follow each other in milliseconds, where whole seconds would say nothing. */
export function formatGap(from: string, to: string): string {
  const ms = Math.max(0, new Date(to).getTime() - new Date(from).getTime());
  return ms < 1000 ? `${ms} ms` : ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(from, to);
}

/** A stream's run has no id of its own here: its job and its name make one, and a run repeated in the job follows its like. */
const subjectOf = ({ source, subject_id, detail, title }: TimelineEntry) =>
  source === "stream_run" ? `${source} ${detail.job_id} ${title}` : `${source} ${subject_id}`;

/** Each entry with the time since the first, and what ends something with how long that took. */
export function markEntries(entries: readonly TimelineEntry[]): MarkedEntry[] {
  const first = entries[0];
  const begun = new Map<string, string>();
  return entries.map((entry, index) => {
    const subject = subjectOf(entry);
    const start = begun.get(subject);
    if (entry.event.endsWith(".started")) begun.set(subject, entry.at);
    const isEnd = entry.source !== "audit_event" && entry.event.endsWith(".finished");
    if (isEnd) begun.delete(subject);
    return {
      key: `${index} ${subject} ${entry.event}`,
      entry,
      sinceStart: first && index > 0 ? `+${formatGap(first.at, entry.at)}` : "Start",
      took: isEnd && start ? formatGap(start, entry.at) : null,
    };
  });
}
