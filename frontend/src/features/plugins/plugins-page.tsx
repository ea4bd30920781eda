"use client";

import { PageHeader } from "@/components/ui/page-header";
import { PluginList } from "./plugin-list";

export function PluginsPage() {
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Plugins"
        description="What is installed here, and what this company uses of it. Turning a plugin off keeps its data."
      />
      <PluginList />
    </div>
  );
}
