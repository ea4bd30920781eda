import type { StreamRun } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { humanize, plural } from "@/lib/format/words";

const WORDS = [
  ["inserted", "new"],
  ["updated", "changed"],
  ["unchanged", "unchanged"],
  ["deleted", "deleted"],
] as const;

type Told = StreamRun["told"][string];

function toldText(counts: Told): string {
  const said = WORDS.filter(([name]) => counts[name] > 0).map(([name, word]) => `${formatCount(counts[name])} ${word}`);
  return said.join(", ") || "none landed";
}

/** What the counters do not say: records asked for once more, and which of them landed in other streams. */
export function StreamBesides({ run }: { run: StreamRun }) {
  const told = Object.entries(run.told);
  if (run.rechecked === 0 && told.length === 0) return null;
  const total = told.reduce((sum, [, { read }]) => sum + read, 0);
  return (
    <div className="max-w-xs text-xs">
      {run.rechecked > 0 && (
        <p className="text-muted-foreground">{formatCount(run.rechecked)} rechecked, as they may still change</p>
      )}
      {told.length > 0 && (
        <details>
          <summary className="min-h-6 cursor-pointer">
            {formatCount(total)} told of {told.length} {plural(told.length, "stream")}
          </summary>
          <ul className="grid gap-0.5 pl-4 text-muted-foreground">
            {told.map(([stream, counts]) => (
              <li key={stream}>
                {humanize(stream)}: {toldText(counts)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}
