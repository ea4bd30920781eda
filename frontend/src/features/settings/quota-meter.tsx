import { Meter } from "@/components/ui/meter";
import type { Quota } from "@/lib/api/models";
import { amountFormat } from "./amount-format";

export function QuotaMeter({ quota }: { quota: Quota }) {
  const shown = amountFormat(quota.name);
  const text =
    quota.limit === null ? `${shown(quota.used)}, unlimited` : `${shown(quota.used)} of ${shown(quota.limit)}`;
  return (
    <li className="grid gap-1.5">
      <p className="flex flex-wrap justify-between gap-x-4 text-data">
        <span>{quota.title}</span>
        <span className="tabular-nums">{text}</span>
      </p>
      {quota.limit !== null && <Meter label={quota.title} value={quota.used} max={quota.limit} text={text} />}
    </li>
  );
}
