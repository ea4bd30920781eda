"use client";

import { useState } from "react";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import type { NewInvitation } from "@/lib/api/models";
import { InvitationSent } from "./invitation-sent";
import { InviteForm } from "./invite-form";

export function InviteDialog({ onClose }: { onClose: () => void }) {
  const [sent, setSent] = useState<NewInvitation | null>(null);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={sent ? `${sent.email} is invited` : "Invite member"}
        description={sent ? null : "They get a link that works once, for a week."}
      >
        {sent ? (
          <InvitationSent invitation={sent} onClose={onClose} />
        ) : (
          <InviteForm onSent={setSent} onCancel={onClose} />
        )}
      </DialogContent>
    </Dialog>
  );
}
