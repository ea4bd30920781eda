"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import type { Role } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { reportProblem } from "@/lib/report-problem";
import { roleQueries } from "./queries";

type DeleteRoleDialogProps = { role: Role; open: boolean; onClose: () => void };

export function DeleteRoleDialog({ role, open, onClose }: DeleteRoleDialogProps) {
  const queryClient = useQueryClient();
  const remove = $api.useMutation("delete", "/api/v1/users/roles/{role_id}", {
    onSuccess: () => {
      toast.success(`${role.title} is deleted`);
      return queryClient.invalidateQueries({ queryKey: roleQueries.list().queryKey });
    },
    onError: reportProblem,
    onSettled: onClose,
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onClose}
      title={`Delete ${role.title}?`}
      confirmLabel="Delete role"
      busy={remove.isPending}
      onConfirm={() => role.id && remove.mutate({ params: { path: { role_id: role.id } } })}
    >
      Only a role that no member and no service key has can be deleted.
    </ConfirmDialog>
  );
}
