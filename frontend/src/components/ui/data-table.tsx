import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A plain table that scrolls sideways on small screens; `label` names the scroll region and the table. */
export function DataTable({ label, className, ...props }: ComponentProps<"table"> & { label: string }) {
  return (
    // Positioned, or what only screen readers see in its far columns would widen the whole page.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="relative overflow-x-auto rounded-lg border bg-card">
      <table aria-label={label} className={cn("w-full border-collapse text-data tabular-nums", className)} {...props} />
    </section>
  );
}

export function HeadCell({ className, numeric = false, ...props }: ComponentProps<"th"> & { numeric?: boolean }) {
  return (
    <th
      scope="col"
      className={cn(
        "whitespace-nowrap border-b bg-muted/60 px-3 py-2 font-medium text-muted-foreground",
        numeric ? "text-right" : "text-left",
        className,
      )}
      {...props}
    />
  );
}

export function Cell({ className, numeric = false, ...props }: ComponentProps<"td"> & { numeric?: boolean }) {
  return <td className={cn("border-b px-3 py-2 align-top", numeric && "text-right", className)} {...props} />;
}
