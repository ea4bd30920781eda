import { describe, expect, test } from "vitest";
import { parseProblem } from "@/lib/api/problem";
import { jobOfProblem } from "./job-of-problem";

const ID = "0192f0c1-2345-7abc-8def-0123456789ab";
const problem = (code: string, detail: string) => parseProblem({ code, detail, title: "Conflict" }, 409);

describe("a conflict with a job", () => {
  test.each([
    ["job_in_progress", `Sync Shop is running with other options (job ${ID}).`],
    ["sync_under_way", `Wait for its end, or cancel it first (job ${ID}).`],
  ])("of the code %s leads to it", (code, detail) => expect(jobOfProblem(problem(code, detail))).toBe(ID));

  test("that names none leads nowhere", () => expect(jobOfProblem(problem("job_in_progress", "Busy."))).toBeNull());

  test("of another code is left alone, whatever it says", () =>
    expect(jobOfProblem(problem("label_taken", `job ${ID}`))).toBeNull());
});
