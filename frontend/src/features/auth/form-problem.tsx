import { Alert } from "@/components/ui/alert";
import type { ApiError } from "@/lib/api/problem";

/** What no field can show: the problem itself, and field errors whose field this form does not have. */
export function FormProblem({ problem, rest }: { problem: ApiError | null; rest: readonly string[] }) {
  if (!problem) return null;
  return (
    <Alert tone="danger" role="alert" title={problem.title}>
      {problem.message !== problem.title && <p>{problem.message}</p>}
      {rest.map((message) => (
        <p key={message}>{message}</p>
      ))}
    </Alert>
  );
}
