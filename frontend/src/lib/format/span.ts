import { plural } from "./words";

const UNITS: Record<string, string> = { s: "second", m: "minute", h: "hour", d: "day", w: "week" };

/** `30d` -> `30 days`; a spelling this file does not know is shown as the server sent it. */
export function formatSpan(span: string): string {
  const match = /^(\d+)([smhdw])$/.exec(span);
  const unit = UNITS[match?.[2] ?? ""];
  return match && unit ? `${match[1]} ${plural(Number(match[1]), unit)}` : span;
}
