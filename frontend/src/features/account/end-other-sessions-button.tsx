"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { formatCount } from "@/lib/format/number";
import { plural } from "@/lib/format/words";
import { accountQueries } from "./queries";
import { useSessions } from "./use-sessions";

export function EndOtherSessionsButton() {
  const [isConfirming, setConfirming] = useState(false);
  const queryClient = useQueryClient();
  const sessions = useSessions();
  const hasOthers = sessions.data?.pages.some((page) => page.items.some((session) => !session.current));
  const end = $api.useMutation("post", "/api/v1/auth/sessions/revoke-others", {
    onSuccess: ({ revoked }) =>
      toast.success(`${formatCount(revoked)} ${plural(revoked, "session has", "sessions have")} ended`),
    onError: (error) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
    },
    onSettled: () => {
      setConfirming(false);
      return queryClient.invalidateQueries({ queryKey: accountQueries.sessions() });
    },
  });
  return (
    <>
      {hasOthers && (
        <Button variant="danger" onClick={() => setConfirming(true)}>
          End all other sessions
        </Button>
      )}
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setConfirming}
        title="End all other sessions?"
        confirmLabel="End other sessions"
        busy={end.isPending}
        onConfirm={() => end.mutate({})}
      >
        Every device but this one is logged out at once, in all your companies. API keys go on working.
      </ConfirmDialog>
    </>
  );
}
