import { Card } from "@/components/ui/card";
import { amountTitle, formatAmount } from "@/lib/plan-words";
import type { UsageDay } from "./usage-days";

/** The bars are a picture for the eye; the same numbers stand in the table that unfolds below it. */
export function UsageBars({ metric, days }: { metric: string; days: readonly UsageDay[] }) {
  const title = amountTitle(metric);
  const shown = (value: number) => formatAmount(metric, value);
  const highest = Math.max(1, ...days.map(({ value }) => value));
  const total = days.reduce((sum, { value }) => sum + value, 0);
  const used = days.filter(({ value }) => value > 0).toReversed();
  return (
    <Card className="grid max-w-2xl gap-3 p-4">
      <div className="flex flex-wrap justify-between gap-x-4">
        <h3 className="font-medium">{title}</h3>
        <p className="text-data tabular-nums">{shown(total)} in all</p>
      </div>
      <div aria-hidden className="grid gap-1">
        <div className="flex h-28 items-end gap-px border-b">
          {days.map(({ day, value }) => (
            <div key={day} title={`${day}: ${shown(value)}`} className="flex h-full min-w-0 flex-1 items-end">
              <div
                className="w-full rounded-t-sm bg-primary"
                style={{ height: value > 0 ? `max(2px, ${(value / highest) * 100}%)` : 0 }}
              />
            </div>
          ))}
        </div>
        <p className="flex justify-between text-muted-foreground text-xs tabular-nums">
          <span>{days[0]?.day}</span>
          <span>{days.at(-1)?.day}</span>
        </p>
      </div>
      <details className="text-data">
        <summary className="w-fit cursor-pointer">{title} as a table</summary>
        <table aria-label={`${title} by day`} className="mt-2 tabular-nums">
          <thead>
            <tr>
              <th scope="col" className="pr-8 text-left font-medium text-muted-foreground">
                Day (UTC)
              </th>
              <th scope="col" className="text-right font-medium text-muted-foreground">
                Used
              </th>
            </tr>
          </thead>
          <tbody>
            {used.map(({ day, value }) => (
              <tr key={day}>
                <td className="pr-8">{day}</td>
                <td className="text-right">{shown(value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </Card>
  );
}
