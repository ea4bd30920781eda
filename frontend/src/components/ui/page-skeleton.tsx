import { Skeleton } from "./skeleton";

/** `title` where a whole page waits: its heading is not there yet, and every page has one. */
export function PageSkeleton({ title }: { title?: string }) {
  return (
    <div role="status" aria-label="Loading" className="grid gap-5">
      {title && <h1 className="sr-only">{title}</h1>}
      <Skeleton className="h-7 w-48" />
      <Skeleton className="h-64" />
    </div>
  );
}
