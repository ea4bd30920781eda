import type { AuditOutcome } from "@/lib/api/models";
import { isUuid } from "@/lib/uuid";

export const FILTER_NAMES = [
  "from",
  "to",
  "category",
  "action",
  "actor",
  "outcome",
  "resource_type",
  "resource_id",
  "correlation_id",
  "job_id",
] as const;

export type FilterName = (typeof FILTER_NAMES)[number];
/** As typed and as it stands in the address; an empty text filters nothing. */
export type AuditFilters = Record<FilterName, string>;
export type FilterErrors = Partial<Record<FilterName, string>>;

export const OUTCOMES = ["ok", "denied", "error"] as const satisfies readonly AuditOutcome[];

export const NO_FILTERS: AuditFilters = {
  from: "",
  to: "",
  category: "",
  action: "",
  actor: "",
  outcome: "",
  resource_type: "",
  resource_id: "",
  correlation_id: "",
  job_id: "",
};

export const hasFilters = (filters: AuditFilters) => FILTER_NAMES.some((name) => filters[name] !== "");
export const sameFilters = (a: AuditFilters, b: AuditFilters) => FILTER_NAMES.every((name) => a[name] === b[name]);

const DAY_MS = 86_400_000;

/** What is no day is sent as it is: the server then refuses it, whereas leaving it out would show more than was asked. */
function startOfDay(day: string, plusDays: number): string {
  const start = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(start) ? day : new Date(start + plusDays * DAY_MS).toISOString();
}

/** The server's `to` is exclusive; whoever chooses a last day means to see it. */
export function toQuery(filters: AuditFilters) {
  const { outcome, ...texts } = filters;
  const values = {
    ...texts,
    from: filters.from && startOfDay(filters.from, 0),
    to: filters.to && startOfDay(filters.to, 1),
  };
  const given: Partial<typeof values> = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
  return { ...given, ...(outcome && { outcome: outcome as AuditOutcome }) };
}

export function validate(filters: AuditFilters): FilterErrors {
  const errors: FilterErrors = {};
  const notAnId = "An id has the form 0192f0c1-2345-7abc-8def-0123456789ab";
  if (filters.correlation_id && !isUuid(filters.correlation_id)) errors.correlation_id = notAnId;
  if (filters.job_id && !isUuid(filters.job_id)) errors.job_id = notAnId;
  for (const name of ["from", "to"] as const) {
    if (filters[name] && Number.isNaN(Date.parse(`${filters[name]}T00:00:00Z`))) {
      errors[name] = `“${filters[name]}” is no day`;
    }
  }
  if (!errors.from && !errors.to && filters.from && filters.to && filters.to < filters.from)
    errors.to = "This is before the first day";
  return errors;
}

export const exportHref = (filters: AuditFilters) =>
  `/api/v1/audit-events/export.csv?${new URLSearchParams(toQuery(filters))}`;
