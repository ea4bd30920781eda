export type Sort = { column: string; isDescending: boolean };

export const parseSort = (text: string): Sort => ({
  column: text.replace(/^-/, ""),
  isDescending: text.startsWith("-"),
});

export const formatSort = ({ column, isDescending }: Sort): string => `${isDescending ? "-" : ""}${column}`;

/** A first click sorts a column from its largest or latest, which is what a ledger is read for; the next one turns it. */
export function nextSort(current: string, column: string): string {
  const { column: active, isDescending } = parseSort(current);
  return formatSort({ column, isDescending: active === column ? !isDescending : true });
}
