import { describe, expect, test } from "vitest";
import type { TimelineEntry } from "@/lib/api/models";
import { auditEventIdOf, entryNotes, entryTitle, jobIdOf } from "./entry-text";
import { formatGap, markEntries } from "./marks";

const entry = (ms: number, part: Partial<TimelineEntry>): TimelineEntry => ({
  at: new Date(Date.UTC(2026, 0, 1) + ms).toISOString(),
  source: "job",
  event: "job.requested",
  title: "Sync Stripe",
  status: null,
  subject_type: "job",
  subject_id: "j1",
  detail: {},
  ...part,
});
const run = (ms: number, title: string, step: string) =>
  entry(ms, { source: "stream_run", event: `stream_run.${step}`, title, detail: { job_id: "j1" } });

describe("the marks of a timeline", () => {
  test("count from the first entry", () => {
    const marks = markEntries([entry(0, {}), entry(40, {}), entry(2_500, {}), entry(95_000, {})]);
    expect(marks.map(({ sinceStart }) => sinceStart)).toEqual(["Start", "+40 ms", "+2.5 s", "+1 min 35 s"]);
  });

  test("say how long each thing took, though they overlap", () => {
    const marks = markEntries([
      run(0, "charges", "started"),
      run(10, "refunds", "started"),
      run(30, "refunds", "finished"),
      run(100, "charges", "finished"),
    ]);
    expect(marks.map(({ took }) => took)).toEqual([null, null, "20 ms", "100 ms"]);
  });

  test("say nothing of what ended without a known start", () => {
    expect(markEntries([run(0, "charges", "finished")])[0]?.took).toBeNull();
  });

  test("never go backwards", () => expect(formatGap("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z")).toBe("0 ms"));
});

describe("an entry", () => {
  test("of the audit log is told in words, with who did it", () => {
    const event = entry(0, {
      source: "audit_event",
      event: "core.job.requested",
      title: "core.job.requested",
      detail: { id: "e1", actor: "Ada", reason: null, job_id: "j1" },
    });
    expect(entryTitle(event)).toBe("Job requested");
    expect(entryNotes(event)).toEqual(["By Ada"]);
    expect(jobIdOf(event)).toBe("j1");
    expect(auditEventIdOf(event)).toBe("e1");
  });

  test("of a finished run tells its rows", () => {
    const finished = run(0, "balance_transactions", "finished");
    expect(entryTitle(finished)).toBe("Balance transactions: finished");
    expect(entryNotes({ ...finished, detail: { rows_read: 1200, rows_inserted: 0 } })).toEqual(["1,200 rows read"]);
  });

  test("of a failed job tells why", () => {
    const failed = entry(0, {
      event: "job.finished",
      detail: { error: { code: "x", detail: "No answer" }, reasons: [] },
    });
    expect(entryNotes(failed)).toEqual(["No answer"]);
    expect(jobIdOf(failed)).toBe("j1");
  });

  test("of a kind this app does not know is still shown", () => {
    const odd = entry(0, { source: "tool_call", event: "tool_call.finished", title: "lookup" });
    expect(entryTitle(odd)).toBe("lookup: finished");
    expect(entryNotes(odd)).toEqual([]);
  });
});
