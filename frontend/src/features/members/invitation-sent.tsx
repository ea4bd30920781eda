import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Moment } from "@/components/ui/moment";
import { ShownOnce } from "@/components/ui/shown-once";
import type { NewInvitation } from "@/lib/api/models";

export function InvitationSent({ invitation, onClose }: { invitation: NewInvitation; onClose: () => void }) {
  return (
    <>
      <DialogBody className="grid gap-4">
        <Alert tone="warning" role="status" title="This link is shown once">
          Whoever opens it first becomes a member, so hand it over in private. It works until{" "}
          <Moment at={invitation.expires_at} />.
        </Alert>
        <ShownOnce label="Invitation link" value={invitation.link} />
        <p className="text-data text-muted-foreground">
          It is also mailed to {invitation.email} where mail is set up. Whether it arrived is not known here.
        </p>
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      </DialogFooter>
    </>
  );
}
