import { actionInWords } from "@/features/audit/action-words";
import type { TimelineEntry } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { humanize } from "@/lib/format/words";

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;
const asText = (value: unknown) => (typeof value === "string" ? value : "");
const detailOf = (value: unknown) => (isRecord(value) ? asText(value.detail) : "");

export const SOURCES: Record<string, string> = {
  job: "Job",
  stream_run: "Stream run",
  api_call: "Request to a vendor",
  audit_event: "Audit event",
};
export const sourceTitle = (source: string) => SOURCES[source] ?? humanize(source);

export function entryTitle({ source, event, title }: TimelineEntry): string {
  if (source === "audit_event") return actionInWords(event);
  if (event === "api_call.total") return title;
  const step = event.split(".").at(-1) ?? "";
  return `${source === "stream_run" ? humanize(title) : title}: ${step}`;
}

const COUNTS = ["rows_read", "rows_inserted", "rows_updated", "rows_deleted"];

function runNotes(detail: TimelineEntry["detail"]): string[] {
  const counts = COUNTS.flatMap((name) => {
    const count = detail[name];
    return typeof count === "number" && count > 0 ? [`${formatCount(count)} ${humanize(name).toLowerCase()}`] : [];
  });
  return [counts.length > 0 ? counts.join(", ") : "No rows", detailOf(detail.reason) || asText(detail.reason)];
}

function jobNotes(detail: TimelineEntry["detail"]): string[] {
  const reasons = Array.isArray(detail.reasons) ? detail.reasons.map(detailOf) : [];
  return [detailOf(detail.error), ...reasons];
}

function requestNotes({ event, status, detail }: TimelineEntry): string[] {
  if (event === "api_call.failed") return [asText(status), asText(detail.error_code)];
  const { requests, failed } = detail;
  return [
    typeof requests === "number" ? `${formatCount(requests)} sent` : "",
    typeof failed === "number" && failed > 0 ? `${formatCount(failed)} refused` : "",
  ];
}

/** What is worth reading beside the title: the server's own words where it has any. */
export function entryNotes(entry: TimelineEntry): string[] {
  const { source, event, detail } = entry;
  const isEnd = event.endsWith(".finished");
  const isRequest = event.endsWith(".requested");
  const notes: Record<string, () => string[]> = {
    audit_event: () => [detail.actor ? `By ${asText(detail.actor)}` : "", asText(detail.reason)],
    stream_run: () => (isEnd ? runNotes(detail) : [detail.mode ? humanize(asText(detail.mode)) : ""]),
    api_call: () => requestNotes(entry),
    job: () =>
      isEnd ? jobNotes(detail) : isRequest && detail.requested_by ? [`By ${asText(detail.requested_by)}`] : [],
  };
  return (notes[source]?.() ?? []).filter(Boolean);
}

export const jobIdOf = ({ subject_type, subject_id, detail }: TimelineEntry) =>
  subject_type === "job" ? subject_id : asText(detail.job_id) || null;

export const auditEventIdOf = ({ source, detail }: TimelineEntry) =>
  source === "audit_event" ? asText(detail.id) || null : null;
