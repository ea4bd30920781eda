"use client";

import { useQuery } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { pluginQueries } from "./queries";

// Forms made from a schema are heavier than all the rest of the page, and few plugins have settings.
const PluginSettingsForm = dynamic(() => import("./plugin-settings-form").then((m) => m.PluginSettingsForm), {
  ssr: false,
  loading: () => <PageSkeleton />,
});

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
