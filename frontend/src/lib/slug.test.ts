import { describe, expect, test } from "vitest";
import { suggestSlug } from "./slug";

describe("a suggested slug", () => {
  test.each([
    ["Northwind Trading", "northwind-trading"],
    ["  Müller & Søn GmbH ", "muller-and-son-gmbh"],
    ["L'Oréal", "loreal"],
    ["Straße 7", "strasse-7"],
    ["---", ""],
    ["日本", ""],
  ])("of %j is %j", (name, slug) => expect(suggestSlug(name)).toBe(slug));

  test("is never longer than forty characters and never ends in a hyphen", () => {
    const slug = suggestSlug(`${"a".repeat(39)} bcd`);
    expect(slug).toBe("a".repeat(39));
  });

  test("of a slug is that slug", () => {
    expect(suggestSlug(suggestSlug("A.B. & C/D"))).toBe(suggestSlug("A.B. & C/D"));
  });
});
