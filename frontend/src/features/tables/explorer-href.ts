import type { Route } from "next";
import { decodeFilter } from "./filter";

/**
 * A group's filters repeat what the question already asked: each is kept once, and of two lower bounds of a column only
 * the later given one, which is the group's own and the closer of the two.
 */
export function leanFilters(filters: readonly string[]): string[] {
  const kept = new Map<string, string>();
  for (const text of filters) {
    const filter = decodeFilter(text);
    kept.set(filter?.operator === "gte" ? `${filter.column}:gte` : text, text);
  }
  return [...kept.values()];
}

/** The explorer with these filters set: what a figure is made of. */
export function explorerHref(table: string, filters: readonly string[]): Route {
  const query = new URLSearchParams({ t: table });
  for (const filter of leanFilters(filters)) query.append("filter", filter);
  return `/tables/view?${query}` as Route;
}
