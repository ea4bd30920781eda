import type { Permission, Role } from "@/lib/api/models";

/** What a role would permit after saving, and the version of the role that the first tick was made on. */
export type Draft = { permissions: readonly string[]; version: number | null };
/** By the role's id. */
export type Drafts = Readonly<Record<string, Draft>>;

const sameSet = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((name) => other.includes(name));

export const permissionsOf = (role: Role, drafts: Drafts): readonly string[] =>
  (role.id && drafts[role.id]?.permissions) || role.permissions;

/** A draft that came back to what is saved is no draft any more. */
export function toggled(drafts: Drafts, role: Role, permission: string): Drafts {
  if (role.id === null) return drafts;
  const now = permissionsOf(role, drafts);
  const next = now.includes(permission) ? now.filter((name) => name !== permission) : [...now, permission];
  const { [role.id]: former, ...others } = drafts;
  if (sameSet(next, role.permissions)) return others;
  return { ...others, [role.id]: { permissions: next, version: former?.version ?? role.version } };
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
