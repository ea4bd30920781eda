"use client";

import { useState } from "react";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import type { Connection, Provider } from "@/lib/api/models";
import { NewConnectionStep } from "./new-connection-step";
import { ProviderCatalogue } from "./provider-catalogue";
import { VerifyStep } from "./verify-step";

type AddConnectionDialogProps = { initialProvider: Provider | null; onClose: () => void };

/** Choose a provider, fill its form, then see at once whether the vendor accepts the credentials. */
export function AddConnectionDialog({ initialProvider, onClose }: AddConnectionDialogProps) {
  const [provider, setProvider] = useState(initialProvider);
  const [created, setCreated] = useState<Connection | null>(null);
  const title = provider ? `Connect ${provider.title}` : "Add connection";
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={title} description={provider ? provider.description : "Choose where the data comes from."}>
        {!provider && (
          <DialogBody>
            <ProviderCatalogue onChoose={setProvider} className="" />
          </DialogBody>
        )}
        {provider && !created && <NewConnectionStep provider={provider} onCreated={setCreated} onCancel={onClose} />}
        {provider && created && <VerifyStep provider={provider} connection={created} onClose={onClose} />}
      </DialogContent>
    </Dialog>
  );
}
