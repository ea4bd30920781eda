import { cn } from "@/lib/cn";

type ProgressProps = { label: string; value: number; max: number | null; className?: string };

/** With `max` null the end is not known: the bar moves but claims no share. */
export function Progress({ label, value, max, className }: ProgressProps) {
  const share = max && max > 0 ? Math.min(1, value / max) : null;
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max ?? undefined}
      aria-valuenow={share === null ? undefined : Math.min(value, max ?? value)}
      className={cn("h-2 overflow-hidden rounded-full bg-muted", className)}
    >
      <div
        className={cn("h-full rounded-full bg-primary transition-[width]", share === null && "w-1/3 animate-pulse")}
        style={share === null ? undefined : { width: `${share * 100}%` }}
      />
    </div>
  );
}
