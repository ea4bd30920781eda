import { expect, test } from "vitest";
import { currencies, timeZones } from "./choices";

test("UTC and what is set now can always be chosen", () => {
  expect(timeZones("Mars/Olympus")).toEqual(expect.arrayContaining(["UTC", "Mars/Olympus", "Europe/Berlin"]));
  expect(currencies("USDC")).toContainEqual({ code: "USDC", title: "USDC" });
});

test("a currency is told by code and name", () =>
  expect(currencies("EUR")).toContainEqual({ code: "EUR", title: "EUR – Euro" }));
