import type { ColumnInfo } from "@/lib/api/models";

export type Visibility = Record<string, boolean>;

const key = (table: string) => `counterfoil.columns.${table}`;

export const defaultVisibility = (columns: readonly ColumnInfo[]): Visibility =>
  Object.fromEntries(columns.map((column) => [column.name, !column.hidden_by_default]));

/** Only names the table has today, and only booleans: what is stored may be older than the table. */
export function restoreVisibility(columns: readonly ColumnInfo[], stored: string | null): Visibility {
  const visibility = defaultVisibility(columns);
  if (!stored) return visibility;
  try {
    const saved: unknown = JSON.parse(stored);
    if (typeof saved !== "object" || saved === null) return visibility;
    for (const [name, isVisible] of Object.entries(saved)) {
      if (name in visibility && typeof isVisible === "boolean") visibility[name] = isVisible;
    }
    return visibility;
  } catch (error) {
    if (error instanceof SyntaxError) return visibility;
    throw error;
  }
}

export const readStored = (table: string) => localStorage.getItem(key(table));

export function writeStored(table: string, visibility: Visibility | null): void {
  if (visibility) localStorage.setItem(key(table), JSON.stringify(visibility));
  else localStorage.removeItem(key(table));
}

/** Null when none of the names is a column, as in an old link: a grid without columns helps nobody. */
export function visibilityOf(columns: readonly ColumnInfo[], names: readonly string[]): Visibility | null {
  if (!columns.some(({ name }) => names.includes(name))) return null;
  return Object.fromEntries(columns.map(({ name }) => [name, names.includes(name)]));
}

export const shownNames = (columns: readonly ColumnInfo[], visibility: Visibility): string[] =>
  columns.map(({ name }) => name).filter((name) => visibility[name] !== false);
