import { describe, expect, test } from "vitest";
import type { ColumnInfo } from "@/lib/api/models";
import { restoreVisibility } from "./column-visibility";
import { moveActive } from "./grid-keys";
import { nextSort, parseSort } from "./sort";

describe("the active row", () => {
  test.each<[string, number, number | null]>([
    ["ArrowDown", 0, 1],
    ["ArrowDown", 9, 9],
    ["ArrowUp", 0, 0],
    ["PageDown", 2, 6],
    ["PageUp", 2, 0],
    ["Home", 7, 0],
    ["End", 3, 9],
    ["Tab", 3, null],
    ["a", 3, null],
  ])("after %s from %i of ten is %j", (key, from, to) => expect(moveActive(key, from, 10, 4)).toBe(to));
});

describe("sorting", () => {
  test("starts a column at its largest and turns it at the next click", () => {
    expect(nextSort("-source_created_at", "amount")).toBe("-amount");
    expect(nextSort("-amount", "amount")).toBe("amount");
    expect(nextSort("amount", "amount")).toBe("-amount");
  });

  test("reads its direction from the sign", () => {
    expect(parseSort("-amount")).toEqual({ column: "amount", isDescending: true });
    expect(parseSort("amount")).toEqual({ column: "amount", isDescending: false });
  });
});

describe("remembered columns", () => {
  const columns = [
    { name: "amount", hidden_by_default: false },
    { name: "risk", hidden_by_default: true },
  ] as ColumnInfo[];

  test("win over the defaults of the table", () => {
    expect(restoreVisibility(columns, '{"amount": false, "risk": true}')).toEqual({ amount: false, risk: true });
  });

  test.each([null, "", "{", "7", '{"gone": true, "amount": "no"}'])("that are %j change nothing", (stored) => {
    expect(restoreVisibility(columns, stored)).toEqual({ amount: true, risk: false });
  });
});
