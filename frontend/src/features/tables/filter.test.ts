import { describe, expect, test } from "vitest";
import type { ColumnInfo } from "@/lib/api/models";
import { decodeFilter, describeFilter, encodeFilter, type Filter, filterProblem, OPERATORS_BY_TYPE } from "./filter";

const column = (name: string, title: string, type: ColumnInfo["type"]): ColumnInfo => ({
  name,
  title,
  type,
  filterable: true,
  sortable: true,
  hidden_by_default: false,
  currency_column: null,
  enum: null,
  indexed: false,
  ops: [],
  groupable: false,
  buckets: [],
});
const AMOUNT = column("amount", "Amount", "money");
const CREATED = column("source_created_at", "Created", "timestamp");

describe("a filter in the address", () => {
  test.each<Filter>([
    { column: "amount", operator: "gte", value: "100.00" },
    { column: "status", operator: "in", value: "paid,pending" },
    { column: "source_created_at", operator: "lt", value: "2026-11-01T00:00:00Z" },
    { column: "description", operator: "contains", value: "a:b, c & d=e?" },
    { column: "description", operator: "eq", value: "" },
    { column: "captured_on", operator: "is_null", value: "false" },
  ])("survives the way there and back: %j", (filter) => expect(decodeFilter(encodeFilter(filter))).toEqual(filter));

  test("is spelled as the API takes it", () => {
    expect(encodeFilter({ column: "status", operator: "in", value: "paid,pending" })).toBe("status:in:paid,pending");
  });

  test.each(["", "amount", "amount:gte", ":gte:1", "amount:like:1", "::"])("that is %j is no filter", (text) => {
    expect(decodeFilter(text)).toBeNull();
  });
});

describe("a filter in words", () => {
  test.each<[Filter, ColumnInfo | undefined, string]>([
    [{ column: "amount", operator: "gte", value: "20000" }, AMOUNT, "Amount is at least 20,000"],
    [{ column: "amount", operator: "is_null", value: "true" }, AMOUNT, "Amount is empty"],
    [{ column: "amount", operator: "is_null", value: "false" }, AMOUNT, "Amount is not empty"],
    [
      { column: "source_created_at", operator: "lt", value: "2026-11-01T00:00:00Z" },
      CREATED,
      "Created is before 2026-11-01 00:00:00 UTC",
    ],
    [{ column: "status", operator: "in", value: "paid,pending" }, undefined, "status is any of paid, pending"],
  ])("%j", (filter, about, words) => expect(describeFilter(filter, about)).toBe(words));
});

describe("a filter value", () => {
  test.each(["100", "-3.50", "0"])("%j is an amount", (value) => {
    expect(filterProblem({ column: "amount", operator: "gte", value }, "money")).toBeNull();
  });

  test.each(["", "  ", "1,000", "abc", "1e5", "."])("%j is no amount", (value) => {
    expect(filterProblem({ column: "amount", operator: "gte", value }, "money")).not.toBeNull();
  });

  test("is not asked for by a column's emptiness", () => {
    expect(filterProblem({ column: "amount", operator: "is_null", value: "true" }, "money")).toBeNull();
  });
});

test("every column type offers an operator", () => {
  for (const operators of Object.values(OPERATORS_BY_TYPE)) expect(operators.length).toBeGreaterThan(0);
});
