import { describe, expect, test } from "vitest";
import { bucketsBetween, bucketTick, bucketTitle, periodStart } from "./period";

const NOW = new Date("2026-03-04T23:59:59Z");

describe("a period", () => {
  test("counts today as one of its days", () => {
    expect(periodStart("30d", "day", NOW)).toBe("2026-02-03");
  });

  test("begins where a whole bucket begins", () => {
    expect(periodStart("30d", "week", NOW)).toBe("2026-02-02");
    expect(periodStart("90d", "week", NOW)).toBe("2025-12-01");
    expect(periodStart("12m", "month", NOW)).toBe("2025-04-01");
  });

  test("has its empty buckets too", () => {
    expect(bucketsBetween("2026-02-27", "2026-03-02", "day")).toEqual([
      "2026-02-27",
      "2026-02-28",
      "2026-03-01",
      "2026-03-02",
    ]);
    expect(bucketsBetween("2025-12-29", "2026-01-12", "week")).toEqual(["2025-12-29", "2026-01-05", "2026-01-12"]);
    expect(bucketsBetween("2025-12-01", "2026-02-11", "month")).toEqual(["2025-12-01", "2026-01-01", "2026-02-01"]);
  });

  test("names its buckets", () => {
    expect(bucketTitle("2026-03-02", "week")).toBe("Week of 2026-03-02");
    expect(bucketTick("2026-03-02", "week")).toBe("03-02");
    expect(bucketTick("2026-03-01", "month")).toBe("Mar");
  });
});
