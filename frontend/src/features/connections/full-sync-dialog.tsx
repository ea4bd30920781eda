"use client";

import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import type { Connection } from "@/lib/api/models";
import { useSyncConnection } from "./use-sync-connection";

type FullSyncDialogProps = { connection: Connection; onClose: () => void };

export function FullSyncDialog({ connection, onClose }: FullSyncDialogProps) {
  const { full, isPending } = useSyncConnection(connection.id);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title="Read everything again and mark what is gone?"
        description={`Every stream of ${connection.label} is read from its beginning.`}
      >
        <DialogBody className="grid gap-2">
          <p>
            A row the vendor no longer shows is then marked deleted, in every stream that was read completely. Marked
            rows leave tables and totals; their raw records and history stay.
          </p>
          <p className="text-muted-foreground">
            This can take long and uses the vendor's request limits. A stream that could not be read to its end marks
            nothing.
          </p>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          {/* The hook has told a refusal already; the dialog closes either way. */}
          <Button variant="danger" disabled={isPending} onClick={() => full().then(onClose, onClose)}>
            {isPending && <Spinner />}
            Start the full read
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
