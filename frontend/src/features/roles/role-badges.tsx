"use client";

import { useQuery } from "@tanstack/react-query";
import { Badge } from "@/components/ui/badge";
import { humanize } from "@/lib/format/words";
import { roleQueries } from "./queries";

/** Roles by title; until the titles are here, or where they may not be read, by name. */
export function RoleBadges({ names }: { names: readonly string[] }) {
  const { data } = useQuery(roleQueries.list());
  const titleOf = (name: string) => data?.items.find((role) => role.name === name)?.title ?? humanize(name);
  return (
    <ul className="flex flex-wrap gap-1">
      {names.map((name) => (
        <li key={name}>
          <Badge>{titleOf(name)}</Badge>
        </li>
      ))}
    </ul>
  );
}
