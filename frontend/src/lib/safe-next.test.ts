import { describe, expect, test } from "vitest";
import { HOME, loginPath, safeNext } from "./safe-next";

const ORIGIN = "https://books.example";

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

  test("is remembered by the log-in address", () => {
    const path = loginPath({ pathname: "/jobs", search: "?status=failed" });
    expect(path).toBe("/login?next=%2Fjobs%3Fstatus%3Dfailed");
    expect(safeNext(new URLSearchParams(path.split("?")[1]).get("next"), ORIGIN)).toBe("/jobs?status=failed");
  });

  test("is not carried when somebody merely opened the front door", () => {
    expect(loginPath({ pathname: "/", search: "" })).toBe("/login");
  });
});
