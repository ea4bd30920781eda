"use client";

import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { RoleBadges } from "@/features/roles/role-badges";
import { useMay } from "@/features/shell/use-may";
import type { Invitation } from "@/lib/api/models";
import { RevokeInvitationButton } from "./revoke-invitation-button";

export function InvitationsTable({ invitations }: { invitations: readonly Invitation[] }) {
  const mayManage = useMay("members.manage");
  return (
    <DataTable label="Open invitations">
      <thead>
        <tr>
          <HeadCell>Invited</HeadCell>
          <HeadCell>Roles</HeadCell>
          <HeadCell>By</HeadCell>
          <HeadCell>Sent</HeadCell>
          <HeadCell>Works until</HeadCell>
          {mayManage && (
            <HeadCell>
              <span className="sr-only">Actions</span>
            </HeadCell>
          )}
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {invitations.map((invitation) => (
          <tr key={invitation.id} className="hover:bg-accent/50">
            <Cell className="min-w-48">
              {invitation.name && <p className="font-medium">{invitation.name}</p>}
              <p className={invitation.name ? "text-muted-foreground" : "font-medium"}>{invitation.email}</p>
            </Cell>
            <Cell className="min-w-40">
              <RoleBadges names={invitation.roles} />
            </Cell>
            <Cell>
              {invitation.invited_by?.name ?? <span className="text-muted-foreground">No member any more</span>}
            </Cell>
            <Cell>
              <Moment at={invitation.created_at} ago />
            </Cell>
            <Cell>
              <Moment at={invitation.expires_at} />
            </Cell>
            {mayManage && (
              <Cell className="w-px">
                <RevokeInvitationButton invitation={invitation} />
              </Cell>
            )}
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
