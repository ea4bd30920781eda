import type { SavedView } from "@/lib/api/models";

export type Shown = { filters: readonly string[]; sort: string; columns: readonly string[] };

const isSameSet = (some: readonly string[], others: readonly string[]) =>
  some.length === others.length && some.every((one) => others.includes(one));

/** Whether the explorer still shows what the view keeps. The order of filters and columns makes no difference to it. */
export function isChanged(
  view: SavedView,
  shown: Shown,
  defaultSort: string,
  defaultColumns: readonly string[],
): boolean {
  return (
    !isSameSet(view.filters, shown.filters) ||
    (view.sort ?? defaultSort) !== shown.sort ||
    !isSameSet(view.columns ?? defaultColumns, shown.columns)
  );
}
