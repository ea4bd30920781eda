"use client";

import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { PluginSettingsForm } from "./plugin-settings-form";
import { pluginQueries } from "./queries";

export function PluginSettings({ name, onSaved }: { name: string; onSaved: () => void }) {
  const settings = useQuery(pluginQueries.settings(name));
  return (
    <section aria-labelledby="plugin-settings" className="grid gap-3">
      <h3 id="plugin-settings" className="font-medium">
        Settings
      </h3>
      {settings.isPending && <PageSkeleton />}
      {settings.isError && <ErrorState error={settings.error} onRetry={() => settings.refetch()} />}
      {settings.data && (
        <PluginSettingsForm key={settings.data.version} name={name} settings={settings.data} onSaved={onSaved} />
      )}
    </section>
  );
}
