import { Badge } from "@/components/ui/badge";
import type { CursorDetail } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";
import { plural } from "@/lib/format/words";

type Window = NonNullable<CursorDetail["window"]>;

const instantOr = (at: string | null, otherwise: string) => (at ? formatInstant(at) : otherwise);

function readText({ read, expected }: Window): string {
  if (expected === null) return `${formatCount(read)} read`;
  return `${formatCount(read)} of ${formatCount(expected)} read`;
}

/** What was begun and not finished: one window, or a back-fill cut into slices; the next run goes on there. */
export function CursorPending({ cursor }: { cursor: CursorDetail }) {
  const { window, slices } = cursor;
  const open = slices.filter(({ done }) => !done);
  if (!window && slices.length === 0) return <span className="text-muted-foreground">Nothing</span>;
  return (
    <div className="grid justify-items-start gap-1">
      {window && (
        <>
          <Badge tone="warning">Unfinished window</Badge>
          <p>
            {instantOr(window.since, "the beginning")} to {instantOr(window.until, "now")}
          </p>
          <p className="text-muted-foreground text-xs">{readText(window)}</p>
        </>
      )}
      {slices.length > 0 && (
        <details>
          <summary className="min-h-6 cursor-pointer">
            {slices.length - open.length} of {slices.length} {plural(slices.length, "slice")} done
          </summary>
          <ol className="grid gap-1 pl-4 text-xs">
            {slices.map((slice) => (
              <li key={slice.until}>
                Up to {formatInstant(slice.until)}: {slice.done ? "done" : `reached ${formatInstant(slice.reached)}`}
                {!slice.done && slice.window && `, ${readText(slice.window)}`}
              </li>
            ))}
          </ol>
        </details>
      )}
    </div>
  );
}
