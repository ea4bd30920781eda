import { expect, test } from "vitest";
import { expiryInstant } from "./expiry";

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);

test("an expiry is so many days from now", () => expect(expiryInstant("30", NOW)).toBe("2026-12-23T12:00:00.000Z"));
test("a key that never expires has none", () => expect(expiryInstant("never", NOW)).toBeNull());
