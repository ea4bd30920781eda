import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { SideScroll } from "./side-scroll";

/** A plain table that scrolls sideways on small screens; `label` names the scroll region and the table. */
export function DataTable({ label, className, ...props }: ComponentProps<"table"> & { label: string }) {
  return (
    // Positioned, or what only screen readers see in its far columns would widen the whole page.
    <SideScroll aria-label={label} className="rounded-lg border bg-card">
      <table aria-label={label} className={cn("w-full border-collapse text-data tabular-nums", className)} {...props} />
    </SideScroll>
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
