import { describe, expect, test } from "vitest";
import type { TableInfo } from "@/lib/api/models";
import { chartOfKind, groupChoices, groupedBy, measureChoices, measuredBy, withCurrent } from "./chart-choices";

const column = (name: string, type: string, buckets: string[] = []) => ({
  name,
  title: name,
  type,
  buckets,
  groupable: type !== "money",
  filterable: true,
});
const TABLE = {
  columns: [
    column("status", "enum"),
    column("at", "timestamp", ["day", "month"]),
    column("due", "date", ["month"]),
    column("amount", "money"),
  ],
} as unknown as TableInfo;

describe("a chart's choices", () => {
  test("offer a time only by its buckets", () => {
    expect(groupChoices(TABLE).map(({ value }) => value)).toEqual(["status", "at:day", "at:month", "due", "due:month"]);
  });

  test("offer sums of what can be added up", () => {
    expect(measureChoices(TABLE).map(({ value }) => value)).toEqual(["count", "sum:amount", "avg:amount"]);
  });

  test("keep what the chart has, known or not", () => {
    expect(withCurrent(measureChoices(TABLE), "max:at").at(-1)).toEqual({ value: "max:at", title: "max:at" });
    expect(withCurrent(measureChoices(TABLE), "count")).toHaveLength(3);
  });
});

describe("a chart", () => {
  test("begins with rows by month", () => {
    expect(chartOfKind(TABLE, "bar", null)).toEqual({
      kind: "bar",
      groups: ["at:month"],
      measures: ["count"],
      sort: null,
    });
    expect(chartOfKind(TABLE, "number", null).groups).toEqual([]);
  });

  test("keeps its further groups and figures when the first one changes", () => {
    const chart = {
      kind: "bar",
      groups: ["at:month", "status"],
      measures: ["count", "sum:amount"],
      sort: "-count",
    } as const;
    const mutable = { ...chart, groups: [...chart.groups], measures: [...chart.measures] };
    expect(groupedBy(mutable, "due:month")).toMatchObject({ groups: ["due:month", "status"], sort: null });
    expect(measuredBy(mutable, "avg:amount")).toMatchObject({ measures: ["avg:amount", "sum:amount"] });
    expect(groupedBy(mutable, "status").groups).toEqual(["status"]);
    expect(groupedBy(mutable, "").groups).toEqual(["status"]);
  });
});
