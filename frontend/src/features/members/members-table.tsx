"use client";

import { Badge } from "@/components/ui/badge";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { Moment } from "@/components/ui/moment";
import { RoleBadges } from "@/features/roles/role-badges";
import { useMay } from "@/features/shell/use-may";
import { useMe } from "@/features/shell/use-me";
import type { Member } from "@/lib/api/models";
import { MemberActions } from "./member-actions";

export function MembersTable({ members }: { members: readonly Member[] }) {
  const { user } = useMe();
  const mayManage = useMay("members.manage");
  return (
    <DataTable label="Members">
      <thead>
        <tr>
          <HeadCell>Member</HeadCell>
          <HeadCell>Roles</HeadCell>
          <HeadCell>Status</HeadCell>
          <HeadCell>Last log-in</HeadCell>
          <HeadCell>Joined</HeadCell>
          {mayManage && (
            <HeadCell>
              <span className="sr-only">Actions</span>
            </HeadCell>
          )}
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-b-0">
        {members.map((member) => (
          <tr key={member.user_id} className="hover:bg-accent/50">
            <Cell className="min-w-48">
              <p className="flex flex-wrap items-center gap-2 font-medium">
                {member.name}
                {member.user_id === user.id && <Badge tone="info">You</Badge>}
              </p>
              <p className="text-muted-foreground">{member.email}</p>
            </Cell>
            <Cell className="min-w-40">
              <RoleBadges names={member.roles} />
            </Cell>
            <Cell>{member.status === "active" ? <Badge tone="success">Active</Badge> : <Badge>Disabled</Badge>}</Cell>
            <Cell>
              <Moment at={member.last_used_at} ago />
            </Cell>
            <Cell>
              <Moment at={member.joined_at} ago />
            </Cell>
            {mayManage && (
              <Cell className="w-px">
                <MemberActions member={member} />
              </Cell>
            )}
          </tr>
        ))}
      </tbody>
    </DataTable>
  );
}
