import { describe, expect, test } from "vitest";
import type { Aggregate, TableInfo } from "@/lib/api/models";
import { axisOf, drawingOf, sliced, type ViewChart } from "./view-chart";

const TABLE = {
  name: "payments",
  columns: [
    { name: "amount", title: "Amount" },
    { name: "source_created_at", title: "Created" },
  ],
} as unknown as TableInfo;
const MONTH = { name: "source_created_at", type: "timestamp", bucket: "month", added: false } as const;
const CURRENCY = { name: "currency", type: "text", bucket: null, added: true } as const;
const STATUS = { name: "status", type: "enum", bucket: null, added: false } as const;
const SUM = {
  name: "sum_amount",
  function: "sum",
  column: "amount",
  type: "money",
  currency_column: "currency",
} as const;
const LATEST = {
  name: "max_source_created_at",
  function: "max",
  column: "source_created_at",
  type: "timestamp",
  currency_column: null,
} as const;
const chart = (part: Partial<ViewChart> = {}): ViewChart => ({
  kind: "bar",
  groups: ["x"],
  measures: ["count"],
  sort: null,
  ...part,
});
const sum = (month: string, currency: string, amount: string) => ({
  group: { source_created_at: `${month}-01T00:00:00Z`, currency },
  values: { sum_amount: amount },
  filters: [`currency:eq:${currency}`],
});
const answer = (part: Partial<Aggregate>): Aggregate => ({
  groups: [MONTH, CURRENCY],
  measures: [SUM],
  timezone: "UTC",
  truncated: false,
  items: [sum("2026-01", "EUR", "10.50"), sum("2026-01", "USD", "7"), sum("2026-03", "EUR", "-2")],
  ...part,
});
const bars = (given: Aggregate, asked: ViewChart = chart(), picks = {}) => {
  const [measure] = given.measures;
  const axis = measure ? axisOf(asked, given, measure) : null;
  if (!measure || !axis) throw new Error("nothing to draw");
  const drawing = drawingOf(TABLE, asked, measure, axis, sliced(given, axis, picks).items);
  return drawing.how === "bars" ? drawing.bars.map(({ words, value }) => [words, value]) : drawing;
};

describe("the chart of a view", () => {
  test("keeps currencies apart and shows months without rows", () => {
    expect(bars(answer({}))).toEqual([
      ["2026-01: 10.50 EUR", 10.5],
      ["2026-02: –", 0],
      ["2026-03: −2 EUR", -2],
    ]);
  });

  test("shows the other currency when that is chosen", () => {
    expect(bars(answer({}), chart(), { currency: '"USD"' })).toEqual([["2026-01: 7 USD", 7]]);
  });

  test("falls back to what there is when the choice is gone", () => {
    const given = answer({});
    expect(sliced(given, MONTH, { currency: '"GBP"' }).slices[0]?.picked).toBe('"EUR"');
  });

  test("in an order of its own is not filled up", () => {
    expect(bars(answer({}), chart({ sort: "-sum_amount" }))).toHaveLength(2);
  });

  test("offers of a second group only what goes with the first choice", () => {
    const item = (currency: string, status: string) => ({
      ...sum("2026-01", currency, "1"),
      group: { ...sum("2026-01", currency, "1").group, status },
    });
    const given = answer({
      groups: [MONTH, STATUS, CURRENCY],
      items: [item("EUR", "paid"), item("USD", "failed")],
    });
    const { slices } = sliced(given, MONTH, { status: '"failed"' });
    expect(slices.map(({ options }) => options.map(({ title }) => title))).toEqual([["Paid", "Failed"], ["USD"]]);
  });

  test("never puts amounts of several currencies on one scale", () => {
    const given = answer({ groups: [{ ...CURRENCY, added: false }], items: [] });
    expect(axisOf(chart(), given, SUM)).toBeNull();
  });

  test("without a group that was asked for is figures", () => {
    const given = answer({ groups: [CURRENCY] });
    expect(axisOf(chart({ groups: [] }), given, SUM)).toBeNull();
    expect(drawingOf(TABLE, chart({ kind: "number" }), SUM, null, given.items).how).toBe("figures");
  });

  test("says why a time is not drawn", () => {
    expect(bars(answer({ groups: [MONTH], measures: [LATEST] }))).toMatchObject({
      how: "not",
      why: expect.stringContaining("Latest created is a time"),
    });
  });

  test("says why too many groups are not drawn", () => {
    const items = Array.from({ length: 121 }, (_, index) => ({
      group: { status: `s${index}` },
      values: { count: 1 },
      filters: null,
    }));
    const count = { name: "count", function: "count", column: null, type: "number", currency_column: null } as const;
    expect(bars(answer({ groups: [STATUS], measures: [count], items }))).toMatchObject({
      why: expect.stringContaining("121 groups are too many"),
    });
  });
});
