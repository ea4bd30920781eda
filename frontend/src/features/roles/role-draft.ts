import type { Permission, Role } from "@/lib/api/models";

/** Permissions of a role as they would be after saving, by the role's id. */
export type Drafts = Readonly<Record<string, readonly string[]>>;

const sameSet = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((name) => other.includes(name));

export const permissionsOf = (role: Role, drafts: Drafts): readonly string[] =>
  (role.id && drafts[role.id]) || role.permissions;

/** A draft that came back to what is saved is no draft any more. */
export function toggled(drafts: Drafts, role: Role, permission: string): Drafts {
  if (role.id === null) return drafts;
  const now = permissionsOf(role, drafts);
  const next = now.includes(permission) ? now.filter((name) => name !== permission) : [...now, permission];
  const { [role.id]: _, ...others } = drafts;
  return sameSet(next, role.permissions) ? others : { ...others, [role.id]: next };
}

export type PermissionGroup = { word: string; permissions: readonly Permission[] };

/** By first word, in the order the server lists them. */
export function groupByWord(permissions: readonly Permission[]): PermissionGroup[] {
  const groups = new Map<string, Permission[]>();
  for (const permission of permissions) {
    const word = permission.name.split(".")[0] ?? permission.name;
    const group = groups.get(word);
    if (group) group.push(permission);
    else groups.set(word, [permission]);
  }
  return [...groups].map(([word, grouped]) => ({ word, permissions: grouped }));
}
