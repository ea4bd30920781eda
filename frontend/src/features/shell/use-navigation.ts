"use client";

import { useQuery } from "@tanstack/react-query";
import { Puzzle } from "lucide-react";
import type { Route } from "next";
import { pluginQueries } from "@/features/plugins/queries";
import type { Plugin } from "@/lib/api/models";
import { NAVIGATION, type NavigationEntry, type NavigationGroup } from "./navigation";
import { useMay } from "./use-may";
import { useMe } from "./use-me";

const OWN_PAGES: readonly string[] = NAVIGATION.flatMap(({ items }) => items.map(({ href }) => href));
const PLUGINS_STAY_MS = 5 * 60_000;

/** What the enabled plugins add; the API leaves out what this member may not open. */
export const pluginEntries = (plugins: readonly Plugin[]): NavigationEntry[] =>
  plugins.flatMap(({ navigation }) =>
    navigation.map(({ title, path }) => ({
      title,
      href: path as Route,
      icon: Puzzle,
      isExternal: !OWN_PAGES.includes(path),
    })),
  );

/** The entries this member may open; a group with none is left out. */
export function useNavigation(): readonly NavigationGroup[] {
  const { permissions } = useMe();
  // A list that failed costs the plugins' entries only, so the menu says nothing of it.
  const { data } = useQuery({
    ...pluginQueries.list(),
    enabled: useMay("plugins.read"),
    staleTime: PLUGINS_STAY_MS,
  });
  const [first, ...rest] = NAVIGATION.map(
    (group): NavigationGroup => ({
      ...group,
      items: group.items.filter(({ permission }) => [permission].flat().some((one) => permissions.includes(one))),
    }),
  );
  const added: NavigationGroup = { title: "Plugins", items: pluginEntries(data?.items ?? []) };
  return [...(first ? [first] : []), added, ...rest].filter((group) => group.items.length > 0);
}
