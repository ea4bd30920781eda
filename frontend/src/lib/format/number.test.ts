import { describe, expect, test } from "vitest";
import { formatDecimal, isNegative } from "./number";

describe("a decimal string", () => {
  test.each([
    ["1234567.80", "1,234,567.80"],
    ["-1234.5", "−1,234.5"],
    ["999", "999"],
    ["0.00", "0.00"],
    ["12345678901234567890.123456789", "12,345,678,901,234,567,890.123456789"],
    ["n/a", "n/a"],
  ])("%j is shown as %j, without passing through a float", (value, shown) => expect(formatDecimal(value)).toBe(shown));

  test("is negative by its sign", () => {
    expect(isNegative("-0.01")).toBe(true);
    expect(isNegative("0.01")).toBe(false);
  });
});
