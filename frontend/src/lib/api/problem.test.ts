import { describe, expect, test } from "vitest";
import { ApiError, fieldPath, parseProblem, problemOf, splitFieldErrors, toApiError } from "./problem";

const BODY = {
  type: "about:blank",
  title: "Invalid input",
  status: 422,
  detail: "Check the marked fields.",
  code: "invalid_input",
  correlation_id: "c-1",
  errors: [
    { path: "tenant_slug", message: "Taken." },
    { path: "tenant_slug", message: "Too short." },
    { path: "captcha", message: "Solve it." },
  ],
};

describe("a problem answer", () => {
  test("keeps its code, detail, correlation id and field errors", () => {
    const problem = parseProblem(BODY, 422);
    expect(problem).toMatchObject({ status: 422, code: "invalid_input", correlationId: "c-1" });
    expect(problem.message).toBe("Check the marked fields.");
    expect(problem.errors).toHaveLength(3);
  });

  test("names the job that stands in the way, where there is one", () => {
    expect(parseProblem({ ...BODY, job_id: "j-1" }, 409).jobId).toBe("j-1");
    expect(parseProblem(BODY, 422).jobId).toBeNull();
  });

  test("that is no JSON still names its status and the correlation id of its header", async () => {
    const answer = new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "X-Correlation-ID": "c-2" } });
    expect(await problemOf(answer)).toMatchObject({ status: 502, code: "http_502", correlationId: "c-2" });
  });

  test.each([null, [], "text", { errors: "none", title: 5 }])("of the odd shape %j does no harm", (body) => {
    const problem = parseProblem(body, 500);
    expect(problem.title).toBe("The server answered 500");
    expect(problem.errors).toEqual([]);
  });

  test("says whether something is denied or missing", () => {
    expect(parseProblem(null, 403).isDenied).toBe(true);
    expect(parseProblem(null, 404).isMissing).toBe(true);
  });
});

describe("field errors", () => {
  test("go to their fields, the first of each, and the others are told apart", () => {
    const { byField, rest } = splitFieldErrors(parseProblem(BODY, 422), ["tenant_slug", "email"]);
    expect(byField).toEqual({ tenant_slug: "Taken." });
    expect(rest).toEqual(["Solve it."]);
  });

  test.each([
    ["body.credentials.api_key", ["credentials", "api_key"]],
    ["/credentials/api_key", ["credentials", "api_key"]],
    ["credentials.api_key", ["credentials", "api_key"]],
    ["label", ["label"]],
  ])("read the path %j as %j", (path, parts) => expect(fieldPath(path)).toEqual(parts));
});

describe("a failed call", () => {
  test("without a network is a network error", () => {
    expect(toApiError(new TypeError("Failed to fetch"))).toMatchObject({ status: 0, code: "network_error" });
  });

  test("that is a problem already stays what it is", () => {
    const problem = parseProblem(BODY, 422);
    expect(toApiError(problem)).toBe(problem);
    expect(problem).toBeInstanceOf(ApiError);
  });
});
