import type { Usage } from "@/lib/api/models";

export type UsageDay = { day: string; value: number };

const DAY_MS = 86_400_000;

/** The first of `count` days (UTC) that end today. */
export const firstDay = (count: number, now: number = Date.now()): string =>
  new Date(now - (count - 1) * DAY_MS).toISOString().slice(0, 10);

/** One entry for every day, because the server leaves out those on which nothing was used. */
export function usageByMetric(usage: readonly Usage[], from: string, count: number): [string, UsageDay[]][] {
  const start = Date.parse(`${from}T00:00:00Z`);
  const days = Array.from({ length: count }, (_, index) => new Date(start + index * DAY_MS).toISOString().slice(0, 10));
  const metrics = [...new Set(usage.map(({ metric }) => metric))].sort();
  return metrics.map((metric) => {
    const used = new Map(usage.filter((one) => one.metric === metric).map(({ day, value }) => [day, value]));
    return [metric, days.map((day) => ({ day, value: used.get(day) ?? 0 }))];
  });
}
