import { inPlanWords } from "../plan-words";

export type FieldError = { path: string; message: string };

type ProblemBody = {
  title: string;
  status: number;
  detail: string;
  code: string;
  correlationId: string | null;
  jobId?: string | null;
  errors: FieldError[];
};

/** Every failed call surfaces as this one type, whether the server answered with a problem, with HTML or not at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly correlationId: string | null;
  /** The job that stands in the way. */
  readonly jobId: string | null;
  readonly errors: readonly FieldError[];

  constructor(body: ProblemBody) {
    super(body.detail || body.title);
    this.name = "ApiError";
    this.status = body.status;
    this.code = body.code;
    this.title = body.title;
    this.correlationId = body.correlationId;
    this.jobId = body.jobId ?? null;
    this.errors = body.errors;
  }

  get isDenied(): boolean {
    return this.status === 403;
  }

  get isMissing(): boolean {
    return this.status === 404;
  }
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null;

function parseFieldErrors(value: unknown): FieldError[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).map((item) => ({ path: asText(item.path), message: asText(item.message) }));
}

export function parseProblem(body: unknown, status: number, correlationHeader: string | null = null): ApiError {
  const known = isRecord(body) ? body : {};
  return new ApiError({
    title: asText(known.title) || `The server answered ${status}`,
    status,
    detail: inPlanWords(asText(known.detail)),
    code: asText(known.code) || `http_${status}`,
    correlationId: asText(known.correlation_id) || correlationHeader,
    jobId: asText(known.job_id) || null,
    errors: parseFieldErrors(known.errors),
  });
}

export async function problemOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null);
  return parseProblem(body, response.status, response.headers.get("X-Correlation-ID"));
}

export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  const offline = error instanceof TypeError;
  return new ApiError({
    title: offline ? "The server cannot be reached" : "Something went wrong",
    status: 0,
    detail: offline ? "Check the network connection and try again." : error instanceof Error ? error.message : "",
    code: offline ? "network_error" : "client_error",
    correlationId: null,
    errors: [],
  });
}

/** `body.credentials.api_key`, `/credentials/api_key` and `credentials.api_key` all name the same field. */
export function fieldPath(path: string): string[] {
  const parts = path.split(path.startsWith("/") ? "/" : ".").filter(Boolean);
  return parts[0] === "body" ? parts.slice(1) : parts;
}

/** First message per field; what belongs to none of `fields` is returned apart, so that no error is ever swallowed. */
export function splitFieldErrors<F extends string>(
  error: ApiError,
  fields: readonly F[],
): { byField: Partial<Record<F, string>>; rest: string[] } {
  const byField: Partial<Record<F, string>> = {};
  const rest: string[] = [];
  for (const { path, message } of error.errors) {
    const name = fields.find((field) => field === fieldPath(path).join("."));
    if (name === undefined) rest.push(message);
    else byField[name] ??= message;
  }
  return { byField, rest };
}
