import { describe, expect, test } from "vitest";
import { actionInWords } from "./action-words";
import { exportHref, hasFilters, NO_FILTERS, toQuery, validate } from "./filters";

describe("an action in words", () => {
  test.each([
    ["core.session.opened", "Session opened"],
    ["core.table.export_completed", "Table export completed"],
    ["netsuite.metadata.discovered", "Netsuite metadata discovered"],
    ["", ""],
  ])("%s is %s", (action, words) => expect(actionInWords(action)).toBe(words));
});

describe("the filters of the audit log", () => {
  test("that are empty ask for nothing", () => {
    expect(toQuery(NO_FILTERS)).toEqual({});
    expect(hasFilters(NO_FILTERS)).toBe(false);
  });

  test("include the whole of the last day", () => {
    expect(toQuery({ ...NO_FILTERS, from: "2026-02-28", to: "2026-02-28" })).toEqual({
      from: "2026-02-28T00:00:00.000Z",
      to: "2026-03-01T00:00:00.000Z",
    });
  });

  test("pass on what is no day, for the server to refuse", () => {
    expect(toQuery({ ...NO_FILTERS, from: "yesterday" })).toEqual({ from: "yesterday" });
  });

  test("are those of the export as well", () => {
    const filters = { ...NO_FILTERS, actor: "a+b@example.com", outcome: "denied" };
    expect(exportHref(filters)).toBe("/api/v1/audit-events/export.csv?actor=a%2Bb%40example.com&outcome=denied");
  });

  test("say which of them is wrong", () => {
    expect(validate(NO_FILTERS)).toEqual({});
    expect(Object.keys(validate({ ...NO_FILTERS, correlation_id: "42", job_id: "x" }))).toEqual([
      "correlation_id",
      "job_id",
    ]);
    expect(Object.keys(validate({ ...NO_FILTERS, from: "yesterday", to: "2026-02-01" }))).toEqual(["from"]);
    expect(Object.keys(validate({ ...NO_FILTERS, from: "2026-02-02", to: "2026-02-01" }))).toEqual(["to"]);
  });
});
