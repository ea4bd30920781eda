"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import type { Plugin } from "@/lib/api/models";
import { PluginDialog } from "./plugin-dialog";

export function PluginDetailsButton({ plugin }: { plugin: Plugin }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" variant="ghost" aria-label={`Details of ${plugin.title}`} onClick={() => setOpen(true)}>
        Details
      </Button>
      {isOpen && <PluginDialog plugin={plugin} onClose={() => setOpen(false)} />}
    </>
  );
}
