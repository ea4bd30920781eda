"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { toast } from "sonner";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import type { Connection } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { connectionQueries } from "./queries";

type DeleteConnectionDialogProps = { connection: Connection; open: boolean; onOpenChange: (open: boolean) => void };

export function DeleteConnectionDialog({ connection, open, onOpenChange }: DeleteConnectionDialogProps) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const remove = $api.useMutation("delete", "/api/v1/connections/{connection_id}", {
    onSuccess: () => {
      toast.success(`${connection.label} is deleted`);
      // Only the list: asking again for what was just deleted would show an error for a moment.
      queryClient.invalidateQueries({ queryKey: connectionQueries.list().queryKey });
      router.replace("/connections");
    },
    onError: (error) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
      onOpenChange(false);
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={onOpenChange}
      title={`Delete ${connection.label}?`}
      confirmLabel="Delete connection"
      busy={remove.isPending}
      onConfirm={() => remove.mutate({ params: { path: { connection_id: connection.id } } })}
    >
      Its credentials are destroyed and its syncs stop. Rows that are already here stay.
    </ConfirmDialog>
  );
}
