"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { AcceptAsMe } from "./accept-as-me";
import { AcceptForm } from "./accept-form";
import { AlreadyMember } from "./already-member";
import { AuthCard } from "./auth-card";
import { DeadInvitation } from "./dead-invitation";
import { FormProblem } from "./form-problem";
import { InvitationFacts } from "./invitation-facts";
import { LinkCheck } from "./link-check";
import { useInvitation } from "./use-invitation";
import { useJoin } from "./use-join";

export function InvitationView({ token }: { token: string }) {
  const { invitation, again } = useInvitation(token);
  const { join, isDead } = useJoin(token);
  const [asOther, setAsOther] = useState(false);
  if (invitation.is === "checking") return <LinkCheck title="You are invited" />;
  if (invitation.is === "dead" || isDead) return <DeadInvitation hadToken />;
  if (invitation.is === "unknown") {
    return (
      <AuthCard title="You are invited" footer={null}>
        <FormProblem problem={invitation.problem} rest={[]} />
        <Button onClick={again}>Try again</Button>
      </AuthCard>
    );
  }
  const { preview } = invitation;
  const me = asOther ? null : preview.signed_in;
  return (
    <AuthCard title={`Join ${preview.tenant_name}`} footer={null}>
      <InvitationFacts preview={preview} />
      {!me && <AcceptForm preview={preview} join={join} />}
      {me && preview.may_accept && <AcceptAsMe me={me} join={join} onSignedOut={again} />}
      {me && !preview.may_accept && <AlreadyMember me={me} tenant={preview.tenant_name} />}
      {preview.signed_in && (
        <Button variant="ghost" onClick={() => setAsOther(!asOther)}>
          {asOther ? `Accept as ${preview.signed_in.name}` : "Use another account"}
        </Button>
      )}
    </AuthCard>
  );
}
