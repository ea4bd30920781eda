import { Meter } from "@/components/ui/meter";
import type { Quota } from "@/lib/api/models";
import { amountTitle, formatAmount } from "@/lib/plan-words";

export function QuotaMeter({ quota }: { quota: Quota }) {
  const title = amountTitle(quota.name, quota.title);
  const shown = (value: number) => formatAmount(quota.name, value);
  const text =
    quota.limit === null ? `${shown(quota.used)}, unlimited` : `${shown(quota.used)} of ${shown(quota.limit)}`;
  return (
    <li className="grid gap-1.5">
      <p className="flex flex-wrap justify-between gap-x-4 text-data">
        <span>{title}</span>
        <span className="tabular-nums">{text}</span>
      </p>
      {quota.limit !== null && <Meter label={title} value={quota.used} max={quota.limit} text={text} />}
    </li>
  );
}
