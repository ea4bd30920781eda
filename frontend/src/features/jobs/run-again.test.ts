import { expect, test } from "vitest";
import { runAgainPermission, whyNotAgain } from "./run-again";

test("a sync and a rebuild take the permission to sync", () => {
  expect(runAgainPermission("core.sync")).toBe("connections.sync");
  expect(runAgainPermission("core.replay")).toBe("connections.sync");
});

test("of a plugin's jobs only the server knows the permission", () =>
  expect(runAgainPermission("recon.match")).toBeNull());

test.each([
  [403, "permission_denied", /permission that starting it took/],
  [409, "job_in_progress", /Wait until that one has ended/],
  [404, "not_found", /no longer there/],
])("a refusal with %d %s is explained", (status, code, words) => expect(whyNotAgain({ status, code })).toMatch(words));

test("a refusal that explains itself is left alone", () =>
  expect(whyNotAgain({ status: 422, code: "job_params_invalid" })).toBeNull());
