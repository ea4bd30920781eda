import { toast } from "sonner";
import { toApiError } from "./api/problem";

/** For actions without a form of their own to show what went wrong. */
export function reportProblem(error: unknown): void {
  const problem = toApiError(error);
  toast.error(problem.title, problem.message === problem.title ? {} : { description: problem.message });
}
