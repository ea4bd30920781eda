"use client";

import { parseAsString, useQueryStates } from "nuqs";
import { useMemo } from "react";
import { type AuditFilters, FILTER_NAMES } from "./filters";

const TEXT = parseAsString.withDefault("");
const PARSERS = {
  from: TEXT,
  to: TEXT,
  category: TEXT,
  action: TEXT,
  actor: TEXT,
  outcome: TEXT,
  resource_type: TEXT,
  resource_id: TEXT,
  correlation_id: TEXT,
  job_id: TEXT,
  event: parseAsString,
};

/** Filters and the open event live in the address, so that what one person sees can be sent to another. */
export function useAuditState() {
  const [{ event, ...filters }, setState] = useQueryStates(PARSERS, { history: "push" });
  const key = JSON.stringify(FILTER_NAMES.map((name) => filters[name]));
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the filters, which are new every time
  const stable: AuditFilters = useMemo(() => filters, [key]);
  return {
    filters: stable,
    event,
    setFilters: (next: AuditFilters) => setState({ ...next, event: null }),
    openEvent: (id: string | null, history: "push" | "replace" = "push") => setState({ event: id }, { history }),
  };
}
