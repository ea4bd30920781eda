"use client";

import { toast } from "sonner";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import type { ApiKey } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { reportProblem } from "@/lib/report-problem";
import { useApiKeysChanged } from "./use-api-keys";

type RevokeApiKeyDialogProps = { apiKey: ApiKey; open: boolean; onClose: () => void };

export function RevokeApiKeyDialog({ apiKey, open, onClose }: RevokeApiKeyDialogProps) {
  const changed = useApiKeysChanged();
  const revoke = $api.useMutation("delete", "/api/v1/api-keys/{key_id}", {
    onSuccess: () => {
      toast.success(`${apiKey.name} is revoked`);
      return changed();
    },
    onError: reportProblem,
    onSettled: onClose,
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onClose}
      title={`Revoke ${apiKey.name}?`}
      confirmLabel="Revoke key"
      busy={revoke.isPending}
      onConfirm={() => revoke.mutate({ params: { path: { key_id: apiKey.id } } })}
    >
      Every program that uses it is refused at once, for good. The key stays listed as revoked.
    </ConfirmDialog>
  );
}
