import { Button } from "@/components/ui/button";
import { Cell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { TextLink } from "@/components/ui/text-link";
import type { CursorDetail } from "@/lib/api/models";
import { formatSpan } from "@/lib/format/span";
import { humanize } from "@/lib/format/words";
import { CursorPending } from "./cursor-pending";

type CursorRowProps = { cursor: CursorDetail; onReset: ((cursor: CursorDetail) => void) | null };

const NO_LAG = /^0[a-z]$/;

function habits({ parent, lookback, lag, horizon }: CursorDetail): string[] {
  return [
    parent && `Once for every record of ${humanize(parent).toLowerCase()}`,
    lookback && `Looks back ${formatSpan(lookback)}`,
    lag && !NO_LAG.test(lag) && `Ends ${formatSpan(lag)} before now`,
    horizon && `The vendor keeps ${formatSpan(horizon)}`,
  ].filter((one): one is string => Boolean(one));
}

export function CursorRow({ cursor, onReset }: CursorRowProps) {
  const isBusy = cursor.window !== null || cursor.slices.length > 0;
  return (
    <tr>
      <Cell className="min-w-36 font-medium">{cursor.title}</Cell>
      <Cell className="min-w-44">
        {cursor.reached && <Moment at={cursor.reached} />}
        {/* At rest the instant is the whole story, and the summary would only repeat it. */}
        {(!cursor.reached || isBusy) && <p className="text-muted-foreground text-xs">{cursor.summary}</p>}
      </Cell>
      <Cell className="min-w-56">
        <CursorPending cursor={cursor} />
      </Cell>
      <Cell className="min-w-44">
        {habits(cursor).map((habit) => (
          <p key={habit}>{habit}</p>
        ))}
      </Cell>
      <Cell>
        <Moment at={cursor.updated_at} ago />
        {cursor.job_id && (
          <p className="whitespace-nowrap">
            <TextLink href={`/jobs/view?id=${cursor.job_id}`}>View job</TextLink>
          </p>
        )}
      </Cell>
      {onReset && (
        <Cell className="text-right">
          <Button size="sm" aria-label={`Reset the cursor of ${cursor.title}`} onClick={() => onReset(cursor)}>
            Reset…
          </Button>
        </Cell>
      )}
    </tr>
  );
}
