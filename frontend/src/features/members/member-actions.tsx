"use client";

import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import type { Member } from "@/lib/api/models";
import { MemberRolesDialog } from "./member-roles-dialog";
import { useMemberChanges } from "./use-member-changes";

export function MemberActions({ member }: { member: Member }) {
  const [open, setOpen] = useState<"roles" | "disable" | "remove" | null>(null);
  const close = () => setOpen(null);
  const changes = useMemberChanges(member, close);
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label={`Actions for ${member.name}`}>
            <Ellipsis aria-hidden />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <MenuItem onSelect={() => setOpen("roles")}>Change roles</MenuItem>
          {member.status === "active" ? (
            <MenuItem onSelect={() => setOpen("disable")}>Disable member</MenuItem>
          ) : (
            <MenuItem onSelect={changes.enable}>Enable member</MenuItem>
          )}
          <MenuSeparator />
          <MenuItem className="text-danger" onSelect={() => setOpen("remove")}>
            Remove member
          </MenuItem>
        </MenuContent>
      </Menu>
      {open === "roles" && <MemberRolesDialog member={member} onClose={close} />}
      <ConfirmDialog
        open={open === "disable"}
        onOpenChange={close}
        title={`Disable ${member.name}?`}
        confirmLabel="Disable member"
        busy={changes.isPending}
        onConfirm={changes.disable}
      >
        They are logged out of this company at once and cannot come back until somebody enables them again.
      </ConfirmDialog>
      <ConfirmDialog
        open={open === "remove"}
        onOpenChange={close}
        title={`Remove ${member.name}?`}
        confirmLabel="Remove member"
        busy={changes.isPending}
        onConfirm={changes.remove}
      >
        The membership, its sessions and its personal API keys end at once. The account itself stays, and so does what
        they did here. To come back they need an invitation.
      </ConfirmDialog>
    </>
  );
}
