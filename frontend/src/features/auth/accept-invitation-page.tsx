"use client";

import { DeadInvitation } from "./dead-invitation";
import { InvitationView } from "./invitation-view";
import { LinkCheck } from "./link-check";
import { useLinkToken } from "./use-link-token";

export function AcceptInvitationPage() {
  const token = useLinkToken();
  if (token === undefined) return <LinkCheck title="You are invited" />;
  if (token === null) return <DeadInvitation hadToken={false} />;
  return <InvitationView key={token} token={token} />;
}
