import { expect, test } from "vitest";
import { firstDay, usageByMetric } from "./usage-days";

test("so many days end today", () => {
  const now = Date.UTC(2026, 10, 23, 23, 59);
  expect(firstDay(1, now)).toBe("2026-11-23");
  expect(firstDay(30, now)).toBe("2026-10-25");
});

test("days on which nothing was used are filled in", () => {
  const usage = [
    { day: "2026-11-22", metric: "rows_landed", value: 7 },
    { day: "2026-11-23", metric: "export_bytes", value: 9 },
  ];
  expect(usageByMetric(usage, "2026-11-22", 2)).toEqual([
    [
      "export_bytes",
      [
        { day: "2026-11-22", value: 0 },
        { day: "2026-11-23", value: 9 },
      ],
    ],
    [
      "rows_landed",
      [
        { day: "2026-11-22", value: 7 },
        { day: "2026-11-23", value: 0 },
      ],
    ],
  ]);
});
