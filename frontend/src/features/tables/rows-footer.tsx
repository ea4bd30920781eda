import { Spinner } from "@/components/ui/spinner";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";

type RowsFooterProps = { loaded: number; total: number | null; isFetching: boolean };

export function RowsFooter({ loaded, total, isFetching }: RowsFooterProps) {
  const known = total ?? loaded;
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 text-muted-foreground text-xs">
      <p role="status" className="flex items-center gap-2 tabular-nums">
        {total === null
          ? `${formatCount(loaded)} ${plural(loaded, "row")} loaded`
          : `${formatCount(loaded)} of ${formatCount(known)} ${plural(known, "row")} loaded`}
        {isFetching && <Spinner className="size-3!" />}
      </p>
      <p className="hidden sm:block">Times are UTC. Arrow keys move, Enter opens a row.</p>
    </div>
  );
}
