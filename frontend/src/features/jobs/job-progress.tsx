import { Card } from "@/components/ui/card";
import { Progress } from "@/components/ui/progress";
import type { Job } from "@/lib/api/models";
import { formatCount } from "@/lib/format/number";
import { isFinal } from "./job-status";

function doneText(done: number, total: number | null): string {
  return total === null ? `${formatCount(done)} done` : `${formatCount(done)} of ${formatCount(total)}`;
}

export function JobProgress({ job }: { job: Job }) {
  const { progress } = job;
  const total = progress?.total ?? null;
  const waiting = job.status === "queued" ? "Waiting for a worker." : "No progress was reported.";
  // What it did last is of no use once all went well.
  const message = job.status === "succeeded" && progress ? "All done." : progress?.message || waiting;
  // A finished job without a known total has no open end any more: its bar is full.
  const max = progress && total === null && isFinal(job.status) ? progress.done : total;
  return (
    <Card className="grid gap-3 p-4">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4">
        <h2 className="font-medium">Progress</h2>
        {progress && <p className="text-data tabular-nums">{doneText(progress.done, total)}</p>}
      </div>
      {progress && <Progress label="Job progress" value={progress.done} max={max} />}
      <p role="status" className="text-data text-muted-foreground">
        {message}
      </p>
    </Card>
  );
}
