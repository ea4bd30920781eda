import { expect, test } from "vitest";
import { scaleOf, tickText } from "./scale";

test("a scale has round ticks around every value", () => {
  expect(scaleOf([3, 870])).toEqual({ min: 0, max: 1000, ticks: [0, 500, 1000] });
  expect(scaleOf([-30, 90])).toEqual({ min: -50, max: 100, ticks: [-50, 0, 50, 100] });
});

test("a scale of nothing still has an extent", () => {
  expect(scaleOf([])).toEqual({ min: 0, max: 1, ticks: [0, 1] });
  expect(scaleOf([0, 0]).max).toBe(1);
});

test("ticks are short", () => {
  expect(tickText(12_000)).toBe("12K");
  expect(tickText(-500)).toBe("−500");
});
