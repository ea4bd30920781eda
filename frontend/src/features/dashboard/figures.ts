import type { Aggregate } from "@/lib/api/models";

export type Figure = { currency: string; count: number; sum: string; filters: readonly string[] | null };

/** One per group: an answer keeps its values loosely typed, since any table can be asked anything. */
export const figuresOf = (answer: Aggregate | undefined, sum: string): Figure[] =>
  (answer?.items ?? []).map(({ group, values, filters }) => ({
    currency: String(group.currency ?? ""),
    count: Number(values.count ?? 0),
    sum: String(values[`sum_${sum}`] ?? "0"),
    filters,
  }));
