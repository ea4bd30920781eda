"use client";

import { Ellipsis, RefreshCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import { useMay } from "@/features/shell/use-may";
import type { Connection } from "@/lib/api/models";
import { DeleteConnectionDialog } from "./delete-connection-dialog";
import { FullSyncDialog } from "./full-sync-dialog";
import { useReplayConnection, useSyncConnection } from "./use-sync-connection";

const EditConnectionDialog = dynamic(() => import("./edit-connection-dialog").then((m) => m.EditConnectionDialog), {
  ssr: false,
});

type ConnectionActionsProps = { connection: Connection; isTesting: boolean; onTest: () => void };

// The hooks have told the user already; the promise only must not stay unhandled.
const ignoreReported = () => undefined;

export function ConnectionActions({ connection, isTesting, onTest }: ConnectionActionsProps) {
  const [open, setOpen] = useState<"edit" | "delete" | "full" | null>(null);
  const mayManage = useMay("connections.manage");
  const maySync = useMay("connections.sync");
  const syncing = useSyncConnection(connection.id);
  const replaying = useReplayConnection(connection.id);
  return (
    <>
      {mayManage && (
        <Button disabled={isTesting} onClick={onTest}>
          {isTesting && <Spinner />}
          Test connection
        </Button>
      )}
      {maySync && (
        <Button variant="primary" disabled={syncing.isPending} onClick={() => syncing.sync().catch(ignoreReported)}>
          {syncing.isPending ? <Spinner /> : <RefreshCw aria-hidden />}
          Sync now
        </Button>
      )}
      {(mayManage || maySync) && (
        <Menu>
          <MenuTrigger asChild>
            <Button size="icon" className="size-9!" aria-label="More actions">
              <Ellipsis aria-hidden />
            </Button>
          </MenuTrigger>
          <MenuContent align="end">
            {maySync && (
              <>
                <MenuItem onSelect={() => syncing.backfill().catch(ignoreReported)}>Read everything again</MenuItem>
                <MenuItem onSelect={() => setOpen("full")}>Read everything, mark what is gone…</MenuItem>
                <MenuItem onSelect={() => replaying.replay().catch(ignoreReported)}>
                  Rebuild rows from raw records
                </MenuItem>
              </>
            )}
            {maySync && mayManage && <MenuSeparator />}
            {mayManage && (
              <>
                <MenuItem onSelect={() => setOpen("edit")}>Edit connection</MenuItem>
                <MenuItem className="text-danger" onSelect={() => setOpen("delete")}>
                  Delete connection
                </MenuItem>
              </>
            )}
          </MenuContent>
        </Menu>
      )}
      {open === "edit" && <EditConnectionDialog connection={connection} onClose={() => setOpen(null)} />}
      {open === "full" && <FullSyncDialog connection={connection} onClose={() => setOpen(null)} />}
      <DeleteConnectionDialog
        connection={connection}
        open={open === "delete"}
        onOpenChange={(isOpen) => setOpen(isOpen ? "delete" : null)}
      />
    </>
  );
}
