"use client";

import { Check, Minus } from "lucide-react";
import { Checkbox } from "@/components/ui/checkbox";
import { useMay } from "@/features/shell/use-may";
import type { Permission, Role } from "@/lib/api/models";
import { cn } from "@/lib/cn";
import { permissionsOf } from "./role-draft";
import type { RoleDrafts } from "./use-role-drafts";

type MatrixCellProps = { role: Role; permission: Permission; drafts: RoleDrafts };

export function MatrixCell({ role, permission, drafts }: MatrixCellProps) {
  const mayManage = useMay("roles.manage");
  const isGiven = permissionsOf(role, drafts.drafts).includes(permission.name);
  const isSaved = role.permissions.includes(permission.name);
  if (role.built_in || !mayManage) {
    return (
      <td className="border-b px-3 py-2 text-center group-hover:bg-accent">
        {isGiven ? (
          <Check aria-hidden className="mx-auto size-4 text-success" />
        ) : (
          <Minus aria-hidden className="mx-auto size-4 text-muted-foreground/50" />
        )}
        <span className="sr-only">{isGiven ? "Permitted" : "Not permitted"}</span>
      </td>
    );
  }
  // What one does not hold can be taken away, never given.
  const isBeyond = !permission.held && !isSaved && !isGiven;
  return (
    <td
      className={cn(
        "border-b px-3 py-2 text-center",
        isGiven === isSaved ? "group-hover:bg-accent" : "bg-warning-soft",
      )}
      title={isBeyond ? "You cannot give what you do not have" : undefined}
    >
      <Checkbox
        aria-label={`${role.title}: ${permission.name}`}
        checked={isGiven}
        disabled={isBeyond || drafts.isSaving}
        onChange={() => drafts.toggle(role, permission.name)}
      />
    </td>
  );
}
