"use client";

import { Pencil, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { Role } from "@/lib/api/models";
import { DeleteRoleDialog } from "./delete-role-dialog";
import { EditRoleDialog } from "./edit-role-dialog";

/** Two plain buttons and no menu: a menu would be cut off by the head that stays in place. */
export function RoleActions({ role }: { role: Role }) {
  const [open, setOpen] = useState<"edit" | "delete" | null>(null);
  const close = () => setOpen(null);
  return (
    <span className="mt-1 flex justify-center gap-0.5">
      <Button
        variant="ghost"
        size="icon"
        className="size-6!"
        aria-label={`Edit ${role.title}`}
        onClick={() => setOpen("edit")}
      >
        <Pencil aria-hidden className="size-3.5!" />
      </Button>
      <Button
        variant="ghost"
        size="icon"
        className="size-6!"
        aria-label={`Delete ${role.title}`}
        onClick={() => setOpen("delete")}
      >
        <Trash2 aria-hidden className="size-3.5!" />
      </Button>
      {open === "edit" && <EditRoleDialog role={role} onClose={close} />}
      <DeleteRoleDialog role={role} open={open === "delete"} onClose={close} />
    </span>
  );
}
