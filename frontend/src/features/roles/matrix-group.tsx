import type { Role } from "@/lib/api/models";
import { humanize } from "@/lib/format/words";
import { MatrixCell } from "./matrix-cell";
import type { PermissionGroup } from "./role-draft";
import type { RoleDrafts } from "./use-role-drafts";

type MatrixGroupProps = { group: PermissionGroup; roles: readonly Role[]; drafts: RoleDrafts };

export function MatrixGroup({ group, roles, drafts }: MatrixGroupProps) {
  return (
    <tbody>
      <tr>
        <th
          scope="rowgroup"
          className="sticky left-0 z-10 border-r border-b bg-card px-3 pt-4 pb-1.5 text-left font-semibold"
        >
          {humanize(group.word)}
        </th>
        <td colSpan={roles.length} className="border-b" />
      </tr>
      {group.permissions.map((permission) => (
        <tr key={permission.name} className="group">
          <th
            scope="row"
            className="sticky left-0 z-10 max-w-48 border-r border-b bg-card px-3 py-2 text-left align-top font-normal group-hover:bg-accent md:max-w-96"
          >
            <span className="break-words font-mono text-xs">{permission.name}</span>
            <span className="block text-muted-foreground text-xs">{permission.description}</span>
          </th>
          {roles.map((role) => (
            <MatrixCell key={role.name} role={role} permission={permission} drafts={drafts} />
          ))}
        </tr>
      ))}
    </tbody>
  );
}
