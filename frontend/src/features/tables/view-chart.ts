import type { Bar } from "@/components/ui/bar-mark";
import { bucketsBetween } from "@/features/dashboard/period";
import type { Aggregate, SavedView, TableInfo } from "@/lib/api/models";
import {
  figureText,
  type Group,
  type GroupColumn,
  groupText,
  groupTick,
  isCalendarBucket,
  type Measure,
  measureTitle,
  type Value,
} from "./chart-words";
import { explorerHref } from "./explorer-href";

export type ViewChart = NonNullable<SavedView["chart"]>;
/** Which value of a group is shown, by the group's name. */
export type Picks = Readonly<Record<string, string>>;
export type Slice = { column: GroupColumn; picked: string; options: readonly { key: string; title: string }[] };
export type Drawing =
  | { how: "bars"; axis: GroupColumn; bars: Bar[] }
  | { how: "figures" }
  | { how: "not"; why: string };

const MOST_BARS = 120;
const MOST_FIGURES = 12;
const ZERO_OF_NOTHING: readonly Measure["function"][] = ["count", "count_distinct", "sum"];

export const keyOf = (value: Value | undefined) => JSON.stringify(value ?? null);

/** The group along the axis. Without one that somebody asked for there is nothing to draw but the figures themselves. */
export function axisOf(chart: ViewChart, answer: Aggregate, measure: Measure): GroupColumn | null {
  const [first] = answer.groups;
  if (chart.kind === "number" || !first || first.added) return null;
  // Amounts of different currencies beside each other would be compared by height, which says nothing.
  return first.name === measure.currency_column ? null : first;
}

/** Every group but the axis is fixed to one of its values, so that no bar adds up what does not belong together. */
export function sliced(answer: Aggregate, axis: GroupColumn, picks: Picks): { slices: Slice[]; items: Group[] } {
  let items: Group[] = [...answer.items];
  const slices: Slice[] = [];
  for (const column of answer.groups) {
    if (column.name === axis.name) continue;
    const values = new Map(items.map(({ group }) => [keyOf(group[column.name]), group[column.name] ?? null]));
    const options = [...values].map(([key, value]) => ({ key, title: groupText(column, value) }));
    const asked = picks[column.name];
    const picked = asked !== undefined && values.has(asked) ? asked : (options[0]?.key ?? "");
    slices.push({ column, picked, options });
    items = items.filter(({ group }) => keyOf(group[column.name]) === picked);
  }
  return { slices, items };
}

/**
 * The API leaves out times without rows, and an axis of time must not: nothing happened then, which is a count or a sum
 * of zero, but no average. A view that orders its bars otherwise has no axis of time.
 */
function withEmptyTimes(
  chart: ViewChart,
  axis: GroupColumn,
  measure: Measure,
  items: readonly Group[],
): readonly Group[] {
  if (chart.sort || !isCalendarBucket(axis.bucket) || !ZERO_OF_NOTHING.includes(measure.function)) return items;
  const dayOf = ({ group }: Group) => String(group[axis.name]).slice(0, 10);
  const timed = items.filter(({ group }) => group[axis.name] !== null);
  const [first, last] = [timed[0], timed.at(-1)];
  if (!first || !last) return items;
  const byDay = new Map(timed.map((item) => [dayOf(item), item]));
  const days = bucketsBetween(dayOf(first), dayOf(last), axis.bucket);
  const filled = days.map((day) => byDay.get(day) ?? { group: { [axis.name]: day }, values: {}, filters: null });
  return [...filled, ...items.filter(({ group }) => group[axis.name] === null)];
}

export function drawingOf(
  table: TableInfo,
  chart: ViewChart,
  measure: Measure,
  axis: GroupColumn | null,
  items: readonly Group[],
): Drawing {
  const many = (count: number) => `${count} groups are too many to draw. The table below has them all.`;
  if (axis === null) return items.length > MOST_FIGURES ? { how: "not", why: many(items.length) } : { how: "figures" };
  if (measure.type !== "number" && measure.type !== "money") {
    return {
      how: "not",
      why: `${measureTitle(table, measure)} is a time: it has no height to draw. The table below tells it.`,
    };
  }
  const shown = withEmptyTimes(chart, axis, measure, items);
  if (shown.length > MOST_BARS) return { how: "not", why: many(shown.length) };
  const bars = shown.map((item) => {
    const value = item.group[axis.name] ?? null;
    const title = groupText(axis, value);
    return {
      key: keyOf(value),
      title,
      tick: groupTick(axis, value),
      // Only for the height: what is read comes from the decimal string.
      value: Number(item.values[measure.name] ?? 0),
      words: `${title}: ${figureText(measure, item)}`,
      href: item.filters ? explorerHref(table.name, item.filters) : null,
    };
  });
  return { how: "bars", axis, bars };
}
