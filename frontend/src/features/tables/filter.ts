import type { ColumnInfo, ColumnType } from "@/lib/api/models";
import { formatDecimal } from "@/lib/format/number";
import { formatInstant } from "@/lib/format/time";

export const OPERATORS = ["eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "is_null"] as const;
export type Operator = (typeof OPERATORS)[number];
export type Filter = { column: string; operator: Operator; value: string };

const NUMERIC: readonly Operator[] = ["gte", "lte", "gt", "lt", "eq", "ne", "is_null"];
const TEMPORAL: readonly Operator[] = ["gte", "lt", "is_null"];

export const OPERATORS_BY_TYPE: Record<ColumnType, readonly Operator[]> = {
  text: ["contains", "eq", "ne", "is_null"],
  enum: ["in", "ne", "is_null"],
  money: NUMERIC,
  number: NUMERIC,
  timestamp: TEMPORAL,
  date: TEMPORAL,
  boolean: ["eq", "is_null"],
  uuid: ["eq", "ne", "is_null"],
};

const WORDS: Record<Operator, string> = {
  eq: "is",
  ne: "is not",
  in: "is any of",
  gt: "is more than",
  gte: "is at least",
  lt: "is less than",
  lte: "is at most",
  contains: "contains",
  is_null: "is empty",
};
const TEMPORAL_WORDS: Partial<Record<Operator, string>> = {
  gt: "is after",
  gte: "is on or after",
  lt: "is before",
  lte: "is on or before",
};

export function operatorWords(operator: Operator, type: ColumnType): string {
  const isTemporal = type === "timestamp" || type === "date";
  return (isTemporal && TEMPORAL_WORDS[operator]) || WORDS[operator];
}

const isOperator = (value: string): value is Operator => (OPERATORS as readonly string[]).includes(value);

/** `column:operator:value`, exactly as the API takes it: the address of a page is also its query. */
export const encodeFilter = ({ column, operator, value }: Filter): string => `${column}:${operator}:${value}`;

/** The value may itself hold colons (a time does), so only the first two part it. */
export function decodeFilter(text: string): Filter | null {
  const first = text.indexOf(":");
  const second = text.indexOf(":", first + 1);
  if (first <= 0 || second < 0) return null;
  const operator = text.slice(first + 1, second);
  return isOperator(operator) ? { column: text.slice(0, first), operator, value: text.slice(second + 1) } : null;
}

export const splitValues = (value: string) => value.split(",").filter(Boolean);

function valueWords(filter: Filter, type: ColumnType): string {
  if (filter.operator === "in") return splitValues(filter.value).join(", ");
  if (type === "money" || type === "number") return formatDecimal(filter.value);
  if (type === "timestamp") return `${formatInstant(filter.value)} UTC`;
  if (type === "boolean") return filter.value === "true" ? "Yes" : "No";
  return filter.value;
}

export function describeFilter(filter: Filter, column: ColumnInfo | undefined): string {
  const title = column?.title ?? filter.column;
  const type = column?.type ?? "text";
  if (filter.operator === "is_null") return `${title} is ${filter.value === "true" ? "empty" : "not empty"}`;
  return `${title} ${operatorWords(filter.operator, type)} ${valueWords(filter, type)}`;
}

/** Why a value cannot be sent, or null. The server checks again; this only spares the round trip. */
export function filterProblem({ operator, value }: Filter, type: ColumnType): string | null {
  if (operator === "is_null") return null;
  if (value.trim() === "") return operator === "in" ? "Choose at least one value." : "Enter a value.";
  if ((type === "money" || type === "number") && !/^-?\d+(\.\d+)?$/.test(value))
    return "Enter a number such as 1250.00.";
  return null;
}
