import { expect, test } from "vitest";
import { formatSpan } from "./span";

test.each([
  ["1d", "1 day"],
  ["30d", "30 days"],
  ["90s", "90 seconds"],
  ["P1D", "P1D"],
  ["", ""],
])("the span %j reads %j", (span, text) => expect(formatSpan(span)).toBe(text));
