"use client";

import { type SubmitEvent, useId } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { formErrors } from "@/lib/api/form-errors";
import type { ApiKey } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { useApiKeysChanged } from "./use-api-keys";

const FIELDS = ["name"] as const;

export function RenameApiKeyDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const formId = useId();
  const changed = useApiKeysChanged();
  const rename = $api.useMutation("patch", "/api/v1/api-keys/{key_id}", {
    onSuccess: () => {
      toast.success("The key is renamed");
      changed();
      onClose();
    },
  });
  const { problem, byField, rest } = formErrors(rename.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    rename.mutate({ params: { path: { key_id: apiKey.id } }, body: { name } });
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title="Rename key" description="What it may do is settled when it is made.">
        <DialogBody>
          <form id={formId} onSubmit={submit} className="grid gap-4">
            <FormProblem problem={problem} rest={rest} />
            <Field id={`${formId}-name`} label="Name" error={byField.name}>
              {(control) => (
                <Input
                  {...control}
                  name="name"
                  defaultValue={apiKey.name}
                  maxLength={100}
                  autoComplete="off"
                  required
                />
              )}
            </Field>
          </form>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" disabled={rename.isPending}>
            {rename.isPending && <Spinner />}
            Save name
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
