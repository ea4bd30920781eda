"use client";

import { parseAsStringLiteral, useQueryStates } from "nuqs";
import { Tabs, TabsList, TabsPanel, TabsTrigger } from "@/components/ui/tabs";
import type { Connection } from "@/lib/api/models";
import { ApiCallList } from "./api-call-list";
import { BudgetCard } from "./budget-card";
import { ConnectionFacts } from "./connection-facts";
import { CursorList } from "./cursor-list";
import { SchemaNoticeList } from "./schema-notice-list";
import { StreamList } from "./stream-list";
import { useWebhooks } from "./use-webhooks";
import { WebhookSection } from "./webhook-section";

const TABS = ["streams", "cursors", "requests", "notices", "webhooks"] as const;
type Tab = (typeof TABS)[number];

const TITLES: Record<Tab, string> = {
  streams: "Streams",
  cursors: "Cursors",
  requests: "Requests",
  notices: "Schema notices",
  webhooks: "Webhooks",
};

const isTab = (value: string): value is Tab => TABS.some((tab) => tab === value);

export function ConnectionTabs({ connection }: { connection: Connection }) {
  const { id } = connection;
  const [{ tab }, setState] = useQueryStates({ tab: parseAsStringLiteral(TABS).withDefault("streams") });
  const webhooks = useWebhooks(id);
  const hasWebhooks = webhooks.data?.pages[0]?.supported === true;
  const shown = TABS.filter((one) => one !== "webhooks" || hasWebhooks || tab === "webhooks");
  return (
    <Tabs value={tab} onValueChange={(next) => isTab(next) && setState({ tab: next })} className="grid min-w-0 gap-4">
      <TabsList aria-label="Parts of the connection" className="overflow-x-auto px-0!">
        {shown.map((one) => (
          <TabsTrigger key={one} value={one} className="whitespace-nowrap">
            {TITLES[one]}
          </TabsTrigger>
        ))}
      </TabsList>
      <TabsPanel value="streams" className="grid min-w-0 gap-5 p-0!">
        <StreamList connectionId={id} />
        <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_24rem]">
          <ConnectionFacts connection={connection} />
          <BudgetCard connectionId={id} />
        </div>
      </TabsPanel>
      <TabsPanel value="cursors" className="min-w-0 p-0!">
        <CursorList connectionId={id} />
      </TabsPanel>
      <TabsPanel value="requests" className="min-w-0 p-0!">
        <ApiCallList connectionId={id} />
      </TabsPanel>
      <TabsPanel value="notices" className="min-w-0 p-0!">
        <SchemaNoticeList connectionId={id} />
      </TabsPanel>
      <TabsPanel value="webhooks" className="min-w-0 p-0!">
        <WebhookSection connectionId={id} />
      </TabsPanel>
    </Tabs>
  );
}
