import { type ApiError, splitFieldErrors, toApiError } from "./problem";

type FormErrors<F extends string> = {
  problem: ApiError | null;
  byField: Partial<Record<F, string>>;
  rest: readonly string[];
};

/** What a form shows of a failed mutation; of one that did not fail, nothing. */
export function formErrors<F extends string>(error: unknown, fields: readonly F[]): FormErrors<F> {
  if (!error) return { problem: null, byField: {}, rest: [] };
  const problem = toApiError(error);
  return { problem, ...splitFieldErrors(problem, fields) };
}
