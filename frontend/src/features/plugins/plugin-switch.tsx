"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Spinner } from "@/components/ui/spinner";
import type { Plugin } from "@/lib/api/models";
import { usePluginSwitch } from "./use-plugin-switch";

export function PluginSwitch({ plugin }: { plugin: Plugin }) {
  const [isConfirming, setConfirming] = useState(false);
  const { enable, disable, isPending } = usePluginSwitch(plugin, () => setConfirming(false));
  if (!plugin.enabled) {
    return (
      <Button size="sm" disabled={isPending || !plugin.available} onClick={enable}>
        {isPending && <Spinner />}
        Enable {plugin.title}
      </Button>
    );
  }
  return (
    <>
      <Button size="sm" onClick={() => setConfirming(true)}>
        Disable {plugin.title}
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={setConfirming}
        title={`Disable ${plugin.title}?`}
        confirmLabel="Disable plugin"
        busy={isPending}
        onConfirm={disable}
      >
        Its connections stop syncing and its pages answer that it is disabled. What it has stored stays, and enabling it
        again brings everything back.
      </ConfirmDialog>
    </>
  );
}
