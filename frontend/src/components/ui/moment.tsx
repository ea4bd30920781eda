import { formatAgo, formatInstant } from "@/lib/format/time";

/** `ago` for reading at a glance, the full UTC stamp on hover; without `ago` the stamp itself. */
export function Moment({ at, ago = false }: { at: string | null; ago?: boolean }) {
  if (!at) return <span className="text-muted-foreground">Never</span>;
  const stamp = `${formatInstant(at)} UTC`;
  return (
    <time dateTime={at} title={stamp} className="whitespace-nowrap tabular-nums">
      {ago ? formatAgo(at) : stamp}
    </time>
  );
}
