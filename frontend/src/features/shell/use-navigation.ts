"use client";

import { NAVIGATION, type NavigationGroup } from "./navigation";
import { useMe } from "./use-me";

/** The entries this member may open; a group with none is left out. */
export function useNavigation(): readonly NavigationGroup[] {
  const { permissions } = useMe();
  return NAVIGATION.map((group) => ({
    ...group,
    items: group.items.filter(({ permission }) => [permission].flat().some((one) => permissions.includes(one))),
  })).filter((group) => group.items.length > 0);
}
