import { describe, expect, test } from "vitest";
import { explorerHref, leanFilters } from "./explorer-href";

describe("a way down to the rows of a figure", () => {
  test("names the table and repeats the filter for each", () => {
    const href = explorerHref("payments", ["status:in:succeeded,pending", "description:contains:a&b"]);
    const query = new URLSearchParams(href.split("?")[1]);
    expect(query.get("t")).toBe("payments");
    expect(query.getAll("filter")).toEqual(["status:in:succeeded,pending", "description:contains:a&b"]);
  });

  test("asks for nothing twice, and keeps a bucket's own beginning", () => {
    expect(
      leanFilters([
        "captured_at:gte:2026-01-01T00:00:00Z",
        "currency:eq:EUR",
        "captured_at:gte:2026-02-01T00:00:00Z",
        "captured_at:lt:2026-02-02T00:00:00Z",
        "currency:eq:EUR",
      ]),
    ).toEqual(["captured_at:gte:2026-02-01T00:00:00Z", "currency:eq:EUR", "captured_at:lt:2026-02-02T00:00:00Z"]);
  });
});
