import { type Bucket, bucketTick, bucketTitle } from "@/features/dashboard/period";
import type { Aggregate, TableInfo } from "@/lib/api/models";
import { formatCount, formatDecimal } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";
import { humanize } from "@/lib/format/words";

export type GroupColumn = Aggregate["groups"][number];
export type Measure = Aggregate["measures"][number];
export type Group = Aggregate["items"][number];
export type Value = Group["group"][string];

const columnTitle = (table: TableInfo, name: string) =>
  table.columns.find((column) => column.name === name)?.title ?? humanize(name);

const FUNCTIONS: Record<Exclude<Measure["function"], "count">, string> = {
  sum: "Sum of",
  avg: "Average of",
  min: "Least",
  max: "Most",
  count_distinct: "Different values of",
};
const TIME_FUNCTIONS: Partial<Record<Measure["function"], string>> = { min: "Earliest", max: "Latest" };

export function measureTitle(table: TableInfo, { function: name, column, type }: Measure): string {
  if (name === "count" || column === null) return "Rows";
  const isTime = type === "timestamp" || type === "date";
  return `${(isTime && TIME_FUNCTIONS[name]) || FUNCTIONS[name]} ${columnTitle(table, column).toLowerCase()}`;
}

export const groupTitle = (table: TableInfo, { name, bucket }: GroupColumn) =>
  bucket ? `${columnTitle(table, name)}, ${bucket}` : columnTitle(table, name);

/** What a chart's heading says it is grouped by: a bucketed time by its bucket alone. */
export const axisTitle = (table: TableInfo, { name, bucket }: GroupColumn) =>
  bucket ?? columnTitle(table, name).toLowerCase();

export const isCalendarBucket = (bucket: GroupColumn["bucket"]): bucket is Bucket =>
  bucket === "day" || bucket === "week" || bucket === "month";

const quarterOf = (day: string) => `Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`;

export function groupText({ bucket, type }: GroupColumn, value: Value): string {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  const text = String(value);
  const day = text.slice(0, 10);
  if (isCalendarBucket(bucket)) return bucketTitle(day, bucket);
  if (bucket === "quarter") return `${day.slice(0, 4)} ${quarterOf(day)}`;
  if (bucket === "year") return day.slice(0, 4);
  if (bucket === "hour") return formatInstant(text).slice(0, 16);
  return type === "enum" ? humanize(text) : text;
}

const LONGEST_TICK = 14;

export function groupTick(column: GroupColumn, value: Value): string {
  if (isCalendarBucket(column.bucket) && value !== null) return bucketTick(String(value).slice(0, 10), column.bucket);
  const text = groupText(column, value);
  const short = column.bucket === "hour" ? text.slice(5) : text;
  return short.length > LONGEST_TICK ? `${short.slice(0, LONGEST_TICK - 1)}…` : short;
}

/** A figure with its currency. Amounts are decimal strings and stay them. */
export function figureText(measure: Measure, { group, values }: Pick<Group, "group" | "values">): string {
  const value = values[measure.name];
  if (value === null || value === undefined) return "–";
  if (measure.type === "timestamp") return formatInstant(String(value));
  if (measure.type === "date") return String(value);
  const figure = typeof value === "number" ? formatCount(value) : formatDecimal(String(value));
  const currency = measure.currency_column ? group[measure.currency_column] : null;
  return typeof currency === "string" ? `${figure} ${currency}` : figure;
}
