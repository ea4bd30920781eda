"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import type { MySession } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { deviceName } from "./device";
import { accountQueries } from "./queries";

export function EndSessionButton({ session }: { session: MySession }) {
  const [isConfirming, setConfirming] = useState(false);
  const queryClient = useQueryClient();
  const device = deviceName(session.user_agent);
  const end = $api.useMutation("delete", "/api/v1/auth/sessions/{session_id}", {
    onSuccess: () => toast.success(`The session of ${device} has ended`),
    onError: (error) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
    },
    onSettled: () => {
      setConfirming(false);
      // Also after a failure: most likely the session had ended by itself, and the list does not know yet.
      return queryClient.invalidateQueries({ queryKey: accountQueries.sessions() });
    },
  });
  return (
    <>
      <Button size="sm" aria-label={`End session of ${device}`} onClick={() => setConfirming(true)}>
        End session
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setConfirming}
        title={`End the session of ${device}?`}
        confirmLabel="End session"
        busy={end.isPending}
        onConfirm={() => end.mutate({ params: { path: { session_id: session.id } } })}
      >
        Whoever uses it is logged out at once. If you do not recognize it, change your password as well.
      </ConfirmDialog>
    </>
  );
}
