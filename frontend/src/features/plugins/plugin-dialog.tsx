"use client";

import { useQuery } from "@tanstack/react-query";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { useMay } from "@/features/shell/use-may";
import type { Plugin } from "@/lib/api/models";
import { PluginFacts } from "./plugin-facts";
import { PluginSettings } from "./plugin-settings";
import { pluginQueries } from "./queries";

export function PluginDialog({ plugin, onClose }: { plugin: Plugin; onClose: () => void }) {
  const mayManage = useMay("plugins.manage");
  const detail = useQuery(pluginQueries.detail(plugin.name));
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent side="right" title={plugin.title} description={`${plugin.publisher} · ${plugin.version}`}>
        <DialogBody className="grid content-start gap-6">
          {detail.isPending && <PageSkeleton />}
          {detail.isError && <ErrorState error={detail.error} onRetry={() => detail.refetch()} />}
          {detail.data && <PluginFacts plugin={detail.data} />}
          {detail.data?.has_settings && mayManage && plugin.status === "active" && (
            <PluginSettings name={plugin.name} onSaved={onClose} />
          )}
        </DialogBody>
      </DialogContent>
    </Dialog>
  );
}
