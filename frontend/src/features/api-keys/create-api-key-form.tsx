"use client";

import { type SubmitEvent, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { RoleChecklist } from "@/features/roles/role-checklist";
import { formErrors } from "@/lib/api/form-errors";
import type { ApiKey, ApiKeyMade } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { EXPIRIES, type ExpiryId, expiryInstant } from "./expiry";
import { KeyKindChoice } from "./key-kind-choice";
import { ScopeChecklist } from "./scope-checklist";
import { useApiKeysChanged } from "./use-api-keys";

const FIELDS = ["name", "scopes", "roles", "expires_at"] as const;

type CreateApiKeyFormProps = { onMade: (key: ApiKeyMade) => void; onCancel: () => void };

export function CreateApiKeyForm({ onMade, onCancel }: CreateApiKeyFormProps) {
  const formId = useId();
  const [kind, setKind] = useState<ApiKey["kind"]>("personal");
  const [expiry, setExpiry] = useState<ExpiryId>("90");
  const [scopes, setScopes] = useState<string[]>([]);
  const [roles, setRoles] = useState<string[]>([]);
  const changed = useApiKeysChanged();
  const create = $api.useMutation("post", "/api/v1/api-keys", {
    onSuccess: (key) => {
      changed();
      onMade(key);
    },
  });
  const { problem, byField, rest } = formErrors(create.error, FIELDS);
  const isComplete = scopes.length > 0 && (kind === "personal" || roles.length > 0);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("name") ?? "").trim();
    const expires_at = expiryInstant(expiry);
    create.mutate({ body: { kind, name, scopes, roles: kind === "service" ? roles : [], expires_at } });
  };
  return (
    <>
      <DialogBody>
        <form id={formId} onSubmit={submit} className="grid gap-4">
          <FormProblem problem={problem} rest={rest} />
          <Field id={`${formId}-name`} label="Name" hint="Say which program uses it." error={byField.name}>
            {(control) => <Input {...control} name="name" maxLength={100} autoComplete="off" required />}
          </Field>
          <KeyKindChoice kind={kind} onChange={setKind} />
          <Field id={`${formId}-expiry`} label="Expires after" error={byField.expires_at}>
            {(control) => (
              <Select
                {...control}
                value={expiry}
                onChange={({ target }) => setExpiry(EXPIRIES.find(({ id }) => id === target.value)?.id ?? "90")}
              >
                {EXPIRIES.map(({ id, title }) => (
                  <option key={id} value={id}>
                    {title}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {kind === "service" && (
            <RoleChecklist chosen={roles} onChange={setRoles} withoutOwner error={byField.roles} />
          )}
          <ScopeChecklist chosen={scopes} onChange={setScopes} error={byField.scopes} />
        </form>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" form={formId} variant="primary" disabled={create.isPending || !isComplete}>
          {create.isPending && <Spinner />}
          Create key
        </Button>
      </DialogFooter>
    </>
  );
}
