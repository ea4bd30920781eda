"use client";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { InvitationPreview } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { FormProblem } from "./form-problem";
import type { Join } from "./use-join";
import { useSubmit } from "./use-submit";

type AcceptAsMeProps = { me: NonNullable<InvitationPreview["signed_in"]>; join: Join; onSignedOut: () => void };

const stay = () => undefined;

export function AcceptAsMe({ me, join, onSignedOut }: AcceptAsMeProps) {
  const { busy, problem, errors, submit } = useSubmit(
    [],
    async () => {
      try {
        await join(null);
      } catch (error) {
        if (toApiError(error).status === 401) onSignedOut();
        throw error;
      }
    },
    stay,
  );
  return (
    <form onSubmit={submit} className="grid gap-4" aria-label="Accept the invitation">
      <FormProblem problem={problem} rest={errors.rest} />
      <p className="break-words text-muted-foreground">You are logged in with {me.email}.</p>
      <Button type="submit" variant="primary" disabled={busy}>
        {busy && <Spinner />}
        Accept as {me.name}
      </Button>
    </form>
  );
}
