"use client";

import type { Permission, Role } from "@/lib/api/models";
import { MatrixGroup } from "./matrix-group";
import { groupByWord } from "./role-draft";
import { RoleHead } from "./role-head";
import type { RoleDrafts } from "./use-role-drafts";

type MatrixTableProps = { roles: readonly Role[]; permissions: readonly Permission[]; drafts: RoleDrafts };

/** Borders are separate, because collapsed ones do not travel with sticky cells. */
export function MatrixTable({ roles, permissions, drafts }: MatrixTableProps) {
  return (
    <section
      aria-label="Permissions by role"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
      tabIndex={0}
      className="relative max-h-[calc(100dvh-13rem)] min-h-64 overflow-auto rounded-lg border bg-card"
    >
      <table aria-label="Permissions by role" className="w-full border-separate border-spacing-0 text-data">
        <thead>
          <tr>
            <th
              scope="col"
              className="sticky top-0 left-0 z-20 min-w-40 border-r border-b bg-muted px-3 py-2 text-left align-bottom font-medium text-muted-foreground md:min-w-72"
            >
              Permission
            </th>
            {roles.map((role) => (
              <RoleHead key={role.name} role={role} />
            ))}
          </tr>
        </thead>
        {groupByWord(permissions).map((group) => (
          <MatrixGroup key={group.word} group={group} roles={roles} drafts={drafts} />
        ))}
      </table>
    </section>
  );
}
