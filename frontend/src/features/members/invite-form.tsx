"use client";

import { type SubmitEvent, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { RoleChecklist } from "@/features/roles/role-checklist";
import { formErrors } from "@/lib/api/form-errors";
import type { NewInvitation } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { useMembersChanged } from "./use-members-changed";

const FIELDS = ["email", "name", "roles"] as const;

type InviteFormProps = { onSent: (invitation: NewInvitation) => void; onCancel: () => void };

export function InviteForm({ onSent, onCancel }: InviteFormProps) {
  const formId = useId();
  const [roles, setRoles] = useState<string[]>(["readonly"]);
  const changed = useMembersChanged();
  const invite = $api.useMutation("post", "/api/v1/users", {
    onSuccess: (invitation) => {
      changed();
      onSent(invitation);
    },
  });
  const { problem, byField, rest } = formErrors(invite.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const name = String(form.get("name") ?? "").trim();
    invite.mutate({ body: { email: String(form.get("email") ?? ""), roles, ...(name && { name }) } });
  };
  return (
    <>
      <DialogBody>
        <form id={formId} onSubmit={submit} className="grid gap-4">
          <FormProblem problem={problem} rest={rest} />
          <Field id={`${formId}-email`} label="E-mail" error={byField.email}>
            {(control) => <Input {...control} name="email" type="email" autoComplete="off" required />}
          </Field>
          <Field id={`${formId}-name`} label="Name (optional)" error={byField.name}>
            {(control) => <Input {...control} name="name" autoComplete="off" maxLength={200} />}
          </Field>
          <RoleChecklist chosen={roles} onChange={setRoles} error={byField.roles} />
        </form>
      </DialogBody>
      <DialogFooter>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" form={formId} variant="primary" disabled={invite.isPending || roles.length === 0}>
          {invite.isPending && <Spinner />}
          Send invitation
        </Button>
      </DialogFooter>
    </>
  );
}
