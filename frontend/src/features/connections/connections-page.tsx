"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/page-header";
import { useMay } from "@/features/shell/use-may";
import type { Provider } from "@/lib/api/models";
import { ConnectionList } from "./connection-list";
import { ProviderCatalogue } from "./provider-catalogue";
import { connectionQueries } from "./queries";

// The form engine is the heaviest part of the page, and most visits do not open it.
const AddConnectionDialog = dynamic(() => import("./add-connection-dialog").then((m) => m.AddConnectionDialog), {
  ssr: false,
});

type Adding = { provider: Provider | null };

export function ConnectionsPage() {
  const mayManage = useMay("connections.manage");
  const [adding, setAdding] = useState<Adding | null>(null);
  // Both are asked for at once, but the catalogue waits for the list above it, which would push it down otherwise.
  const { isPending: isListPending } = useQuery(connectionQueries.list());
  useQuery(connectionQueries.providers());
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Connections"
        description="The vendor accounts whose data is kept here."
        actions={
          mayManage && (
            <Button variant="primary" onClick={() => setAdding({ provider: null })}>
              <Plus aria-hidden />
              Add connection
            </Button>
          )
        }
      />
      <div className="grid gap-8">
        <ConnectionList onAdd={mayManage ? () => setAdding({ provider: null }) : null} />
        {mayManage && !isListPending && (
          <section aria-labelledby="catalogue" className="grid gap-3">
            <h2 id="catalogue" className="font-medium">
              Catalogue
            </h2>
            <ProviderCatalogue onChoose={(provider) => setAdding({ provider })} />
          </section>
        )}
      </div>
      {adding && <AddConnectionDialog initialProvider={adding.provider} onClose={() => setAdding(null)} />}
    </div>
  );
}
