import { expect, test } from "vitest";
import { utcInstant } from "./utc-instant";

test.each([
  ["2026-11-01T12:30", "2026-11-01T12:30:00.000Z"],
  ["2026-11-01T12:30:05", "2026-11-01T12:30:05.000Z"],
  ["", null],
  ["yesterday", null],
])("the local time %j is the instant %j", (local, instant) => expect(utcInstant(local)).toBe(instant));
