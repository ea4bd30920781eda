import { cn } from "@/lib/cn";
import { formatInstant } from "@/lib/format/time";
import type { LogLine } from "./job-stream";

const TONES: Record<string, string> = { warning: "text-warning", error: "text-danger", critical: "text-danger" };

function dataText(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  return Object.entries(data)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}

export function JobLogLine({ line }: { line: LogLine }) {
  return (
    <p className="flex gap-3">
      <time dateTime={line.at} className="shrink-0 text-muted-foreground">
        {formatInstant(line.at).slice(11)}
      </time>
      <span className={cn("w-14 shrink-0 text-muted-foreground", TONES[line.level])}>{line.level}</span>
      <span className="min-w-0 break-words">
        {line.message} <span className="text-muted-foreground">{dataText(line.data)}</span>
      </span>
    </p>
  );
}
