import { describe, expect, test } from "vitest";
import type { Job } from "@/lib/api/models";
import {
  EMPTY_STREAM,
  type JobStreamEvent,
  type LogLine,
  MAX_LOG_LINES,
  newerJob,
  parseJob,
  parseLogLine,
  reduceJobStream,
} from "./job-stream";

const line = (seq: number): LogLine => ({ seq, level: "info", message: `line ${seq}`, data: null, at: "" });
const log = (seq: number): JobStreamEvent => ({ type: "log", line: line(seq) });
const play = (...events: JobStreamEvent[]) => events.reduce(reduceJobStream, EMPTY_STREAM);
const job = (status: Job["status"]) => ({ id: "j", status }) as Job;

describe("the log of a job", () => {
  test("keeps its lines in order", () => {
    expect(play(log(1), log(2), log(5)).logs.map(({ seq }) => seq)).toEqual([1, 2, 5]);
  });

  test("takes a line only once when a reconnect replays it", () => {
    expect(play(log(1), log(2), log(1), log(2), log(3)).logs.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("puts a late line where it belongs", () => {
    expect(play(log(1), log(3), log(2)).logs.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("keeps only its tail", () => {
    const { logs } = play(...Array.from({ length: MAX_LOG_LINES + 20 }, (_, index) => log(index)));
    expect(logs).toHaveLength(MAX_LOG_LINES);
    expect(logs[0]?.seq).toBe(20);
  });
});

describe("the live line", () => {
  test("goes from connecting over live and retrying to live again", () => {
    expect(play().phase).toBe("connecting");
    expect(play({ type: "opened" }).phase).toBe("live");
    expect(play({ type: "opened" }, { type: "interrupted" }).phase).toBe("retrying");
    expect(play({ type: "interrupted" }, { type: "opened" }).phase).toBe("live");
  });

  test("that ended is not reported as interrupted when the server closes it", () => {
    expect(play({ type: "opened" }, { type: "ended" }, { type: "interrupted" }).phase).toBe("ended");
  });

  test("that was lost can be started again without losing its lines", () => {
    const state = play(log(1), { type: "lost" }, { type: "restarted" });
    expect(state).toEqual({ phase: "connecting", logs: [line(1)] });
  });
});

describe("a job event", () => {
  test("replaces what was known", () => expect(newerJob(job("queued"), job("running")).status).toBe("running"));

  test("that is late does not revive a finished job", () => {
    expect(newerJob(job("cancelled"), job("running")).status).toBe("cancelled");
    expect(newerJob(job("cancelled"), job("failed")).status).toBe("failed");
  });

  test.each(["", "{", "null", "[]", '{"id": 1}'])("of the data %j is ignored", (data) => {
    expect(parseJob(data)).toBeNull();
    expect(parseLogLine(data)).toBeNull();
  });

  test("of a log line fills in what may be absent", () => {
    expect(parseLogLine('{"seq": 4, "message": "hello"}')).toEqual({
      seq: 4,
      level: "info",
      message: "hello",
      data: null,
      at: "",
    });
  });
});
