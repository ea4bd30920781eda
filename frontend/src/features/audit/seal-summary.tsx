import { RotateCw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { AuditEvent } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";

type SealSummaryProps = { events: readonly AuditEvent[]; isFetching: boolean; onRefresh: () => void };

export function SealSummary({ events, isFetching, onRefresh }: SealSummaryProps) {
  const open = events.filter(({ seal }) => !seal).length;
  const newest = Math.max(...events.map(({ seal }) => seal?.sequence ?? 0));
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 text-muted-foreground text-xs">
      <p role="status" className="tabular-nums">
        {formatCount(events.length)} {plural(events.length, "event")} loaded
        {newest > 0 && `, sealed up to seal ${formatCount(newest)}`}
        {open > 0 ? `, ${formatCount(open)} not yet sealed` : ", every one sealed"}.
      </p>
      <Button size="sm" variant="ghost" disabled={isFetching} onClick={onRefresh}>
        {isFetching ? <Spinner /> : <RotateCw aria-hidden />}
        Refresh
      </Button>
    </div>
  );
}
