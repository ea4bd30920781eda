"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { SavedView } from "@/lib/api/models";
import { tableQueries } from "./queries";

/**
 * The view the address names, as it was when it was opened here: a list that was fetched again must not pass off
 * somebody's later version as the one this person has seen.
 */
export function useOpenedView(table: string, id: string | null) {
  const views = useQuery(tableQueries.views(table));
  const [seen, setSeen] = useState<SavedView | null>(null);
  const found = views.data?.items.find((view) => view.id === id) ?? null;
  if (found && found.id !== seen?.id) setSeen(found);
  return { views, opened: found && seen?.id === found.id ? seen : null, setSeen };
}

export type OpenedView = ReturnType<typeof useOpenedView>;
