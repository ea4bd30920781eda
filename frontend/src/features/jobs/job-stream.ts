import type { Job } from "@/lib/api/models";
import { isFinal } from "./job-status";

export type LogLine = { seq: number; level: string; message: string; data: unknown; at: string };
export type StreamPhase = "connecting" | "live" | "retrying" | "lost" | "ended";
export type JobStream = { phase: StreamPhase; logs: readonly LogLine[] };

export type JobStreamEvent =
  | { type: "opened" }
  | { type: "log"; line: LogLine }
  | { type: "interrupted" }
  | { type: "lost" }
  | { type: "ended" }
  | { type: "restarted" };

export const MAX_LOG_LINES = 500;
export const EMPTY_STREAM: JobStream = { phase: "connecting", logs: [] };

/** A reconnect may replay lines: the sequence number decides what is new and where it belongs. */
function addLine(logs: readonly LogLine[], line: LogLine): readonly LogLine[] {
  const last = logs.at(-1);
  if (!last || line.seq > last.seq) return [...logs, line].slice(-MAX_LOG_LINES);
  if (logs.some(({ seq }) => seq === line.seq)) return logs;
  return [...logs, line].sort((a, b) => a.seq - b.seq).slice(-MAX_LOG_LINES);
}

export function reduceJobStream(state: JobStream, event: JobStreamEvent): JobStream {
  if (event.type === "log") return { ...state, logs: addLine(state.logs, event.line) };
  if (event.type === "restarted") return { ...state, phase: "connecting" };
  if (state.phase === "ended") return state;
  const phase: Record<Exclude<typeof event.type, "log">, StreamPhase> = {
    opened: "live",
    interrupted: "retrying",
    lost: "lost",
    ended: "ended",
  };
  return { ...state, phase: phase[event.type] };
}

/** A late or replayed event must not bring a finished job back to life. */
export function newerJob(current: Job | undefined, incoming: Job): Job {
  return current && isFinal(current.status) && !isFinal(incoming.status) ? current : incoming;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function parseJson(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

export function parseLogLine(data: string): LogLine | null {
  const value = parseJson(data);
  if (!isRecord(value) || typeof value.seq !== "number" || typeof value.message !== "string") return null;
  return {
    seq: value.seq,
    level: typeof value.level === "string" ? value.level : "info",
    message: value.message,
    data: value.data ?? null,
    at: typeof value.at === "string" ? value.at : "",
  };
}

export function parseJob(data: string): Job | null {
  const value = parseJson(data);
  return isRecord(value) && typeof value.id === "string" && typeof value.status === "string" ? (value as Job) : null;
}
