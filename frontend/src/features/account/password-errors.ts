import { type ApiError, splitFieldErrors, toApiError } from "@/lib/api/problem";

const FIELDS = ["current_password", "new_password"] as const;

type PasswordErrors = {
  /** What no field can show. */
  problem: ApiError | null;
  byField: Partial<Record<(typeof FIELDS)[number], string>>;
  rest: readonly string[];
};

export function passwordErrors(error: unknown): PasswordErrors {
  if (!error) return { problem: null, byField: {}, rest: [] };
  const problem = toApiError(error);
  // A problem of its own, not a field error: only its code says which field it is about.
  if (problem.code === "wrong_password") {
    return { problem: null, byField: { current_password: problem.message }, rest: [] };
  }
  const { byField, rest } = splitFieldErrors(problem, FIELDS);
  const isAllShown = Object.keys(byField).length > 0 && rest.length === 0;
  return { problem: isAllShown ? null : problem, byField, rest };
}
