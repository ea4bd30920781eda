import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import type { InvitationPreview } from "@/lib/api/models";
import { HOME } from "@/lib/safe-next";

type AlreadyMemberProps = { me: NonNullable<InvitationPreview["signed_in"]>; tenant: string };

export function AlreadyMember({ me, tenant }: AlreadyMemberProps) {
  return (
    <>
      <Alert tone="info" role="status" title="You are a member already">
        {me.email} belongs to {tenant}. The link stays good for somebody else.
      </Alert>
      <Button asChild variant="primary">
        <a href={HOME}>Open Counterfoil</a>
      </Button>
    </>
  );
}
