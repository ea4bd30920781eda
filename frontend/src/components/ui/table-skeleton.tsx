import { Skeleton } from "./skeleton";

export function TableSkeleton({ rows = 5 }: { rows?: number }) {
  return (
    <div role="status" aria-label="Loading" className="grid gap-px overflow-hidden rounded-lg border bg-card p-3">
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the bars have no identity
        <Skeleton key={index} className="my-1.5 h-5" />
      ))}
    </div>
  );
}
