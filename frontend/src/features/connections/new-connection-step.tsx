"use client";

import { useId } from "react";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import type { Connection, Provider } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { ConnectionForm } from "./connection-form";
import { useConnectionChanged } from "./use-connection-changed";

type NewConnectionStepProps = { provider: Provider; onCreated: (connection: Connection) => void; onCancel: () => void };

export function NewConnectionStep({ provider, onCreated, onCancel }: NewConnectionStepProps) {
  const formId = useId();
  const changed = useConnectionChanged();
  const create = $api.useMutation("post", "/api/v1/connections", {
    onSuccess: (connection) => {
      changed(connection.id);
      onCreated(connection);
    },
  });
  return (
    <>
      <DialogBody>
        <ConnectionForm
          id={formId}
          provider={provider}
          initial={{ label: provider.title, settings: {} }}
          withCredentials
          busy={create.isPending}
          problem={create.isError ? toApiError(create.error) : null}
          onSubmit={(input) => create.mutate({ body: { kind: provider.kind, ...input } })}
        />
      </DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" form={formId} variant="primary" disabled={create.isPending}>
          {create.isPending && <Spinner />}
          Create connection
        </Button>
      </DialogFooter>
    </>
  );
}
