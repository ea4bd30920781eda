import type { Me, Role } from "@/lib/api/models";

export const OWNER = "owner";

/** Why this role is not offered, or null when it is; the API decides again. */
export function whyNotGrantable(
  role: Pick<Role, "name" | "permissions">,
  me: Pick<Me, "roles" | "permissions">,
  held: readonly string[],
): string | null {
  if (role.name === OWNER && !me.roles.includes(OWNER)) return "Only owners make and unmake owners.";
  if (held.includes(role.name) || role.permissions.every((name) => me.permissions.includes(name))) return null;
  return "It permits more than your own roles do.";
}
