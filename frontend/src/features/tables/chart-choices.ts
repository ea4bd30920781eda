import type { ColumnInfo, TableInfo } from "@/lib/api/models";
import type { ViewChart } from "./view-chart";

export type Choice = { value: string; title: string };

type KindChoice = { value: ViewChart["kind"]; title: string };

const KINDS: readonly KindChoice[] = [
  { value: "bar", title: "Bars" },
  { value: "line", title: "Line" },
  { value: "area", title: "Area" },
  { value: "number", title: "Figures" },
];

/** Pies are not offered, but one that was made over the API stays what it is. */
export const kindChoices = (current: ViewChart | null): readonly KindChoice[] =>
  current?.kind === "pie" ? [...KINDS, { value: "pie", title: "Pie, drawn as bars" }] : KINDS;

function groupsOf({ name, title, type, buckets, groupable }: ColumnInfo): Choice[] {
  if (!groupable) return [];
  const bucketed = buckets.map((bucket) => ({ value: `${name}:${bucket}`, title: `${title}, ${bucket}` }));
  return type === "timestamp" ? bucketed : [{ value: name, title }, ...bucketed];
}

/** What the API takes: a time only by one of its buckets. */
export const groupChoices = ({ columns }: TableInfo): Choice[] => columns.flatMap(groupsOf);

export const measureChoices = ({ columns }: TableInfo): Choice[] => [
  { value: "count", title: "Rows" },
  ...columns
    .filter(({ type, filterable }) => filterable && (type === "money" || type === "number"))
    .flatMap(({ name, title }) => [
      { value: `sum:${name}`, title: `Sum of ${title.toLowerCase()}` },
      { value: `avg:${name}`, title: `Average of ${title.toLowerCase()}` },
    ]),
];

/** A chart made over the API may ask for more than is offered here; that stays choosable, and is kept. */
export const withCurrent = (choices: readonly Choice[], current: string | undefined): readonly Choice[] =>
  current === undefined || choices.some(({ value }) => value === current)
    ? choices
    : [...choices, { value: current, title: current }];

const firstTime = ({ columns }: TableInfo): string | undefined =>
  columns.find(({ type, buckets }) => type === "timestamp" && buckets.includes("month"))?.name;

/** A chart of a kind, as a beginning: what a table is asked most is how much there was in each month. */
export function chartOfKind(table: TableInfo, kind: ViewChart["kind"], current: ViewChart | null): ViewChart {
  if (current) return { ...current, kind };
  const time = firstTime(table);
  return { kind, groups: time && kind !== "number" ? [`${time}:month`] : [], measures: ["count"], sort: null };
}

const columnOf = (group: string) => group.split(":")[0];

export const groupedBy = (chart: ViewChart, group: string): ViewChart => ({
  ...chart,
  // The API takes a column once, whatever its bucket.
  groups: [group, ...(chart.groups ?? []).slice(1).filter((one) => columnOf(one) !== columnOf(group))].filter(Boolean),
  sort: null,
});

export const measuredBy = (chart: ViewChart, measure: string): ViewChart => ({
  ...chart,
  measures: [...new Set([measure, ...(chart.measures ?? []).slice(1)])],
  sort: null,
});
