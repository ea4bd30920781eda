"use client";

import { UserPlus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/page-header";
import { useMay } from "@/features/shell/use-may";
import { InvitationList } from "./invitation-list";
import { InviteDialog } from "./invite-dialog";
import { MemberList } from "./member-list";

export function MembersPage() {
  const mayManage = useMay("members.manage");
  const [isInviting, setInviting] = useState(false);
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Members"
        description="Who works in this company, and what their roles let them do."
        actions={
          mayManage && (
            <Button variant="primary" onClick={() => setInviting(true)}>
              <UserPlus aria-hidden />
              Invite member
            </Button>
          )
        }
      />
      <div className="grid gap-8">
        <MemberList />
        <InvitationList />
      </div>
      {isInviting && <InviteDialog onClose={() => setInviting(false)} />}
    </div>
  );
}
