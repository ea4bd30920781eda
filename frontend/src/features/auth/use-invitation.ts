"use client";

import { useCallback, useEffect, useState } from "react";
import { client, refreshSession } from "@/lib/api/client";
import type { InvitationPreview } from "@/lib/api/models";
import { type ApiError, toApiError } from "@/lib/api/problem";

type Invitation =
  | { is: "checking" }
  | { is: "open"; preview: InvitationPreview }
  | { is: "dead" }
  | { is: "unknown"; problem: ApiError };

async function look(token: string): Promise<InvitationPreview> {
  const ask = () => client.POST("/api/v1/auth/invitations/preview", { body: { token } });
  const { data } = await ask();
  // This route answers 200 to an expired access token, so whether one is still signed in takes a refresh to know.
  const preview = data?.signed_in || !(await refreshSession()) ? data : (await ask()).data;
  if (!preview) throw new Error("The answer is empty.");
  return preview;
}

/** What a token is good for, and `again` to look once more. */
export function useInvitation(token: string) {
  const [invitation, setInvitation] = useState<Invitation>({ is: "checking" });
  const [round, setRound] = useState(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round asks the same again
  useEffect(() => {
    let isWanted = true;
    const settle = (next: Invitation) => isWanted && setInvitation(next);
    look(token).then(
      (preview) => settle({ is: "open", preview }),
      (error: unknown) => {
        const problem = toApiError(error);
        settle(problem.code === "link_invalid" ? { is: "dead" } : { is: "unknown", problem });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [token, round]);
  const again = useCallback(() => {
    setInvitation({ is: "checking" });
    setRound((last) => last + 1);
  }, []);
  return { invitation, again };
}
