import { describe, expect, test } from "vitest";
import { HOME, loginPath, safeNext } from "./safe-next";

const ORIGIN = "https://books.example";

// What browsers take for another origin, or for no navigation at all.
const HOSTILE = [
  "//evil.example",
  "///evil.example",
  "////evil.example/%2f..",
  "\\\\evil.example",
  "/\\evil.example",
  "/\\/evil.example",
  "\\/evil.example",
  "/.//evil.example",
  "/..//evil.example",
  "/%2e//evil.example",
  "/jobs/..//evil.example",
  "/jobs/%2e%2e//evil.example/..//x",
  "/%2f/evil.example",
  "/%5cevil.example",
  "%2f%2fevil.example",
  "https:evil.example",
  "https:/evil.example",
  "https://evil.example",
  "https://books.example@evil.example",
  "https://books.example.evil.example",
  "http://books.example",
  "HTTPS://EVIL.EXAMPLE",
  "javascript:alert(1)",
  "java%0ascript:alert(1)",
  "/javascript:alert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:x",
  "blob:https://books.example/x",
  "/%09/evil.example",
  "/%0a/evil.example",
  "%0d//evil.example",
  "%20//evil.example",
  "%00//evil.example",
  "/%00",
  "/%c2%85//evil.example",
  "?next=//evil.example",
  "#//evil.example",
  "@evil.example",
  ".evil.example",
];

describe("the way on after a sign-in", () => {
  test("is a path of this origin with its query and fragment", () => {
    expect(safeNext("/tables/view?t=payments&row=1#x", ORIGIN)).toBe("/tables/view?t=payments&row=1#x");
  });

  test.each([
    null,
    "",
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "connections",
    "/login",
    "/register?next=/jobs",
    "/forgot-password",
    "/reset-password",
    "/accept-invitation",
  ])("is home for %j", (next) => expect(safeNext(next, ORIGIN)).toBe(HOME));

  test.each(HOSTILE)("never leads away from this origin: %j", (next) => {
    for (const given of [next, decodeURIComponent(next)]) {
      // As a browser would read it, wherever the page is.
      expect(new URL(safeNext(given, ORIGIN), `${ORIGIN}/login`).origin).toBe(ORIGIN);
    }
  });

  test("is read once: what it leads to would lead there again", () => {
    for (const next of HOSTILE) expect(safeNext(safeNext(next, ORIGIN), ORIGIN)).toBe(safeNext(next, ORIGIN));
  });

  test("is remembered by the log-in address", () => {
    const path = loginPath({ pathname: "/jobs", search: "?status=failed" });
    expect(path).toBe("/login?next=%2Fjobs%3Fstatus%3Dfailed");
    expect(safeNext(new URLSearchParams(path.split("?")[1]).get("next"), ORIGIN)).toBe("/jobs?status=failed");
  });

  test("is not carried when somebody merely opened the front door", () => {
    expect(loginPath({ pathname: "/", search: "" })).toBe("/login");
  });
});
