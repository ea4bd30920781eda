"use client";

import { useMay } from "@/features/shell/use-may";
import type { Role } from "@/lib/api/models";
import { RoleActions } from "./role-actions";

export function RoleHead({ role }: { role: Role }) {
  const mayManage = useMay("roles.manage");
  return (
    <th
      scope="col"
      title={role.description || undefined}
      className="sticky top-0 z-10 min-w-24 max-w-40 border-b bg-muted px-3 py-2 text-center align-bottom font-medium"
    >
      <span className="break-words">{role.title}</span>
      <span className="block font-normal text-muted-foreground text-xs">{role.built_in ? "Built in" : "Own"}</span>
      {mayManage && !role.built_in && <RoleActions role={role} />}
    </th>
  );
}
