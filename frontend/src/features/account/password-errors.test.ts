import { describe, expect, test } from "vitest";
import { parseProblem } from "@/lib/api/problem";
import { passwordErrors } from "./password-errors";

describe("what went wrong with a new password", () => {
  test("is nothing before anything was sent", () => {
    expect(passwordErrors(null)).toEqual({ problem: null, byField: {}, rest: [] });
  });

  test("is told at the current one where that is wrong", () => {
    const wrong = parseProblem({ title: "This is not your password", code: "wrong_password" }, 403);
    expect(passwordErrors(wrong)).toMatchObject({
      problem: null,
      byField: { current_password: "This is not your password" },
    });
  });

  test("is told at the new one where that is too short", () => {
    const body = { code: "invalid_input", errors: [{ path: "body.new_password", message: "Too short." }] };
    expect(passwordErrors(parseProblem(body, 422))).toMatchObject({
      problem: null,
      byField: { new_password: "Too short." },
    });
  });

  test("stays a problem of the whole form where no field is named", () => {
    const slow = parseProblem({ title: "Too many requests", code: "rate_limited" }, 429);
    expect(passwordErrors(slow)).toMatchObject({ problem: slow, byField: {} });
  });
});
