import { cn } from "@/lib/cn";

type MeterProps = { label: string; value: number; max: number; text: string };

const NEARLY = 0.8;

/** How much of a fixed amount is used; `text` is what is read out. */
export function Meter({ label, value, max, text }: MeterProps) {
  const share = max > 0 ? Math.min(1, value / max) : 1;
  const look = share >= 1 ? "bg-danger" : share >= NEARLY ? "bg-warning" : "bg-primary";
  return (
    // biome-ignore lint/a11y/useSemanticElements: browsers let nobody style the platform's meter alike
    <div
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={max}
      aria-valuenow={Math.min(value, max)}
      aria-valuetext={text}
      className="h-2 overflow-hidden rounded-full bg-muted"
    >
      <div className={cn("h-full rounded-full", look)} style={{ width: `${share * 100}%` }} />
    </div>
  );
}
