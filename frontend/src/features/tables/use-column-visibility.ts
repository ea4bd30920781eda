"use client";

import { useState } from "react";
import type { TableInfo } from "@/lib/api/models";
import { defaultVisibility, readStored, restoreVisibility, type Visibility, writeStored } from "./column-visibility";

export function useColumnVisibility(table: TableInfo) {
  const [visibility, setVisibility] = useState<Visibility>(() =>
    restoreVisibility(table.columns, readStored(table.name)),
  );
  return {
    visibility,
    toggle: (name: string) => {
      const next = { ...visibility, [name]: visibility[name] === false };
      setVisibility(next);
      writeStored(table.name, next);
    },
    reset: () => {
      setVisibility(defaultVisibility(table.columns));
      writeStored(table.name, null);
    },
  };
}
