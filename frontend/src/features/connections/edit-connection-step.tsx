"use client";

import { useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { LabelledCheckbox } from "@/components/ui/labelled-checkbox";
import { Spinner } from "@/components/ui/spinner";
import type { Connection, Provider } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { ConnectionForm } from "./connection-form";
import { useConnectionChanged } from "./use-connection-changed";

type EditConnectionStepProps = {
  provider: Provider;
  connection: Connection;
  startWithCredentials?: boolean;
  onSaved: () => void;
  onCancel: () => void;
};

export function EditConnectionStep(props: EditConnectionStepProps) {
  const { provider, connection, startWithCredentials = false, onSaved, onCancel } = props;
  const formId = useId();
  const [replaces, setReplaces] = useState(startWithCredentials);
  const changed = useConnectionChanged();
  const save = $api.useMutation("patch", "/api/v1/connections/{connection_id}", {
    onSuccess: () => {
      changed(connection.id);
      onSaved();
    },
  });
  return (
    <>
      <DialogBody className="grid gap-4">
        <ConnectionForm
          key={String(replaces)}
          id={formId}
          provider={provider}
          initial={connection}
          withCredentials={replaces}
          busy={save.isPending}
          problem={save.isError ? toApiError(save.error) : null}
          onSubmit={({ label, settings, credentials }) =>
            save.mutate({
              // Whoever else edited it meanwhile is not overwritten: the answer says so, and the form can be opened anew.
              params: { path: { connection_id: connection.id }, header: { "If-Match": `"${connection.version}"` } },
              body: { label, settings, ...(replaces && { credentials }) },
            })
          }
        />
        <LabelledCheckbox checked={replaces} onChange={setReplaces}>
          Replace credentials
        </LabelledCheckbox>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" form={formId} variant="primary" disabled={save.isPending}>
          {save.isPending && <Spinner />}
          Save changes
        </Button>
      </DialogFooter>
    </>
  );
}
