"use client";

import { NAVIGATION, type NavigationGroup } from "./navigation";
import { useMe } from "./use-me";

/** The entries this member may open; a group with none is left out. */
export function useNavigation(): readonly NavigationGroup[] {
  const { permissions } = useMe();
  return NAVIGATION.map((group) => ({
    ...group,
    items: group.items.filter((item) => permissions.includes(item.permission)),
  })).filter((group) => group.items.length > 0);
}
