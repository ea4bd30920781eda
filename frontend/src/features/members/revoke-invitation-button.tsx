"use client";

import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import type { Invitation } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { reportProblem } from "@/lib/report-problem";
import { useMembersChanged } from "./use-members-changed";

export function RevokeInvitationButton({ invitation }: { invitation: Invitation }) {
  const [isConfirming, setConfirming] = useState(false);
  const changed = useMembersChanged();
  const revoke = $api.useMutation("delete", "/api/v1/users/invitations/{invitation_id}", {
    onSuccess: () => {
      toast.success(`The invitation of ${invitation.email} is revoked`);
      return changed();
    },
    onError: reportProblem,
    onSettled: () => setConfirming(false),
  });
  return (
    <>
      <Button size="sm" aria-label={`Revoke the invitation of ${invitation.email}`} onClick={() => setConfirming(true)}>
        Revoke
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setConfirming}
        title={`Revoke the invitation of ${invitation.email}?`}
        confirmLabel="Revoke invitation"
        busy={revoke.isPending}
        onConfirm={() => revoke.mutate({ params: { path: { invitation_id: invitation.id } } })}
      >
        Its link stops working at once. You can invite them again.
      </ConfirmDialog>
    </>
  );
}
