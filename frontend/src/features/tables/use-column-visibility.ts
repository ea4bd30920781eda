"use client";

import { useState } from "react";
import type { TableInfo } from "@/lib/api/models";
import {
  defaultVisibility,
  readStored,
  restoreVisibility,
  shownNames,
  type Visibility,
  visibilityOf,
  writeStored,
} from "./column-visibility";

/** What the address names comes before the person's own choice, which stays as it was for when the view is left. */
export function useColumnVisibility(
  table: TableInfo,
  named: readonly string[] | null,
  setNamed: (names: string[] | null) => void,
) {
  const [own, setOwn] = useState<Visibility>(() => restoreVisibility(table.columns, readStored(table.name)));
  const given = named && visibilityOf(table.columns, named);
  const visibility = given ?? own;
  return {
    visibility,
    toggle: (name: string) => {
      const next = { ...visibility, [name]: visibility[name] === false };
      if (given) {
        setNamed(shownNames(table.columns, next));
        return;
      }
      setOwn(next);
      writeStored(table.name, next);
    },
    reset: () => {
      if (given) {
        setNamed(shownNames(table.columns, defaultVisibility(table.columns)));
        return;
      }
      setOwn(defaultVisibility(table.columns));
      writeStored(table.name, null);
    },
  };
}
