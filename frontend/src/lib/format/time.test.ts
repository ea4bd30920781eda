import { describe, expect, test } from "vitest";
import { formatAgo, formatDuration, formatInstant } from "./time";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

describe("an instant", () => {
  test("is shown in UTC whatever offset it was written with", () => {
    expect(formatInstant("2026-11-23T08:18:34Z")).toBe("2026-11-23 08:18:34");
    expect(formatInstant("2026-11-23T10:18:34+02:00")).toBe("2026-11-23 08:18:34");
  });

  test("that is none is shown as it came", () => expect(formatInstant("soon")).toBe("soon"));

  test.each([
    ["2026-11-23T11:59:40Z", "just now"],
    ["2026-11-23T11:45:00Z", "15 minutes ago"],
    ["2026-11-23T09:00:00Z", "3 hours ago"],
    ["2026-11-20T09:00:00Z", "3 days ago"],
  ])("%j reads %j", (at, words) => expect(formatAgo(at, NOW)).toBe(words));
});

test.each([
  ["2026-11-23T12:00:09Z", "9 s"],
  ["2026-11-23T12:02:05Z", "2 min 5 s"],
  ["2026-11-23T14:02:05Z", "2 h 2 min"],
  ["2026-11-23T11:00:00Z", "0 s"],
])("a duration until %j reads %j", (end, words) => expect(formatDuration("2026-11-23T12:00:00Z", end)).toBe(words));
