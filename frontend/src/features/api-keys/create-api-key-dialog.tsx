"use client";

import { useState } from "react";
import { Dialog, DialogContent } from "@/components/ui/dialog";
import type { ApiKeyMade } from "@/lib/api/models";
import { ApiKeySecret } from "./api-key-secret";
import { CreateApiKeyForm } from "./create-api-key-form";

export function CreateApiKeyDialog({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<ApiKeyMade | null>(null);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={made ? `${made.name} is made` : "Create API key"}
        description={made ? null : "For programs that work with Counterfoil without anybody logging in."}
      >
        {made ? (
          <ApiKeySecret secret={made.key} onClose={onClose} />
        ) : (
          <CreateApiKeyForm onMade={setMade} onCancel={onClose} />
        )}
      </DialogContent>
    </Dialog>
  );
}
