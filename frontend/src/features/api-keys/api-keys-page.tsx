"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/page-header";
import { useMay } from "@/features/shell/use-may";
import { ApiKeyList } from "./api-key-list";
import { CreateApiKeyDialog } from "./create-api-key-dialog";

export function ApiKeysPage() {
  const mayMake = useMay("api_keys.own");
  const seesAll = useMay("api_keys.manage");
  const [isCreating, setCreating] = useState(false);
  const create = () => setCreating(true);
  return (
    <div className="grid gap-5">
      <PageHeader
        title="API keys"
        description={
          seesAll
            ? "Keys of every member and service, also those that have ended."
            : "Your own keys, also those that have ended."
        }
        actions={
          mayMake && (
            <Button variant="primary" onClick={create}>
              <Plus aria-hidden />
              Create key
            </Button>
          )
        }
      />
      <ApiKeyList onCreate={mayMake ? create : null} />
      {isCreating && <CreateApiKeyDialog onClose={() => setCreating(false)} />}
    </div>
  );
}
