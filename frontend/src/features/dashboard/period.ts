export const PERIODS = ["30d", "90d", "12m"] as const;
export type Period = (typeof PERIODS)[number];
export type Bucket = "day" | "week" | "month";

export const PERIOD_TITLES: Record<Period, string> = {
  "30d": "Last 30 days",
  "90d": "Last 90 days",
  "12m": "Last 12 months",
};

const isoDay = (at: Date) => at.toISOString().slice(0, 10);
const dayOf = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day));

/** Monday of its week, first of its month: a first bar that was cut short would look like a slump. */
function beginOf(at: Date, bucket: Bucket): Date {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  if (bucket === "month") return dayOf(year, month, 1);
  return dayOf(year, month, bucket === "week" ? day - ((at.getUTCDay() + 6) % 7) : day);
}

function after(at: Date, bucket: Bucket): Date {
  const [year, month, day] = [at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()];
  if (bucket === "month") return dayOf(year, month + 1, 1);
  return dayOf(year, month, day + (bucket === "week" ? 7 : 1));
}

/** The first day of a period (UTC), moved back to where its bucket begins. */
export function periodStart(period: Period, bucket: Bucket, now: Date = new Date()): string {
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate()];
  const first = period === "12m" ? dayOf(year, month - 11, 1) : dayOf(year, month, day - (period === "30d" ? 29 : 89));
  return isoDay(beginOf(first, bucket));
}

/** Every bucket from a day to another: the API leaves out the empty ones, and a chart must not. */
export function bucketsBetween(from: string, to: string, bucket: Bucket): string[] {
  const found: string[] = [];
  const last = new Date(`${to}T00:00:00Z`);
  for (let at = beginOf(new Date(`${from}T00:00:00Z`), bucket); at <= last; at = after(at, bucket)) {
    found.push(isoDay(at));
  }
  return found;
}

export const today = (now: Date = new Date()): string => isoDay(now);

export function bucketTitle(day: string, bucket: Bucket): string {
  if (bucket === "month") return day.slice(0, 7);
  return bucket === "week" ? `Week of ${day}` : day;
}

const monthName = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" });

/** Short enough to stand under a narrow bar; the year of a month is in its title. */
export const bucketTick = (day: string, bucket: Bucket): string =>
  bucket === "month" ? monthName.format(new Date(`${day}T00:00:00Z`)) : day.slice(5);
