"use client";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import type { InvitationPreview } from "@/lib/api/models";
import { FormProblem } from "./form-problem";
import { NewPasswordField } from "./new-password-field";
import type { Join } from "./use-join";
import { useSubmit } from "./use-submit";

const FIELDS = ["email", "full_name", "password"] as const;

const stay = () => undefined;

export function AcceptForm({ preview, join }: { preview: InvitationPreview; join: Join }) {
  const { busy, problem, errors, submit } = useSubmit(FIELDS, join, stay);
  return (
    <form onSubmit={submit} className="grid gap-4" aria-label="Accept the invitation">
      <FormProblem problem={problem} rest={errors.rest} />
      <Field id="email" label="E-mail" error={errors.byField.email}>
        {(control) => (
          <Input
            {...control}
            name="email"
            type="email"
            autoComplete="username"
            defaultValue={preview.signed_in ? "" : preview.email}
            required
          />
        )}
      </Field>
      <Field id="full_name" label="Your name" error={errors.byField.full_name}>
        {(control) => (
          <Input
            {...control}
            name="full_name"
            autoComplete="name"
            defaultValue={preview.signed_in ? "" : (preview.name ?? "")}
            required
          />
        )}
      </Field>
      <NewPasswordField
        name="password"
        label="Password"
        hint="Of your account, if you have one with this e-mail. Otherwise an account is made: at least 12 characters, and a few unrelated words make a good one."
        error={errors.byField.password}
      />
      <Button type="submit" variant="primary" disabled={busy}>
        {busy && <Spinner />}
        Accept invitation
      </Button>
    </form>
  );
}
