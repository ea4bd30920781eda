"use client";

import { useQuery } from "@tanstack/react-query";
import { toast } from "sonner";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import type { Connection } from "@/lib/api/models";
import { EditConnectionStep } from "./edit-connection-step";
import { connectionQueries } from "./queries";

type EditConnectionDialogProps = { connection: Connection; onClose: () => void };

export function EditConnectionDialog({ connection, onClose }: EditConnectionDialogProps) {
  const providers = useQuery(connectionQueries.providers());
  const provider = providers.data?.items.find(({ kind }) => kind === connection.kind);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title="Edit connection"
        description="Credentials are write-only: they can be replaced, never read."
      >
        {provider ? (
          <EditConnectionStep
            provider={provider}
            connection={connection}
            startWithCredentials={connection.status === "needs_reauth"}
            onCancel={onClose}
            onSaved={() => {
              toast.success("Connection saved");
              onClose();
            }}
          />
        ) : (
          <DialogBody>
            {providers.isPending ? (
              <PageSkeleton />
            ) : (
              <ErrorState
                error={providers.error ?? new Error(`No enabled plugin offers ${connection.kind}.`)}
                onRetry={() => providers.refetch()}
              />
            )}
          </DialogBody>
        )}
      </DialogContent>
    </Dialog>
  );
}
