"use client";

import { useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { AuthCard } from "./auth-card";
import { FormProblem } from "./form-problem";
import { SwitchLink } from "./switch-link";
import { useSubmit } from "./use-submit";

const FIELDS = ["email"] as const;

export function ForgotPasswordForm() {
  const [isSent, setSent] = useState(false);
  const { busy, problem, errors, submit } = useSubmit(
    FIELDS,
    (body) => client.POST("/api/v1/auth/password/forgot", { body }),
    () => setSent(true),
  );
  return (
    <AuthCard
      title="Forgot your password?"
      footer={
        <>
          Remembered it? <SwitchLink to="/login">Log in</SwitchLink>
        </>
      }
    >
      {isSent ? (
        <Alert tone="success" role="status" title="Look into your mail">
          If there is an account with this e-mail, a link that sets a new password is on its way. It works once and for
          an hour.
        </Alert>
      ) : (
        <form onSubmit={submit} className="grid gap-4" aria-label="Ask for a link">
          <FormProblem problem={problem} rest={errors.rest} />
          <p className="text-muted-foreground">Give the e-mail you log in with, and we mail you a link.</p>
          <Field id="email" label="E-mail" error={errors.byField.email}>
            {(control) => <Input {...control} name="email" type="email" autoComplete="username" required />}
          </Field>
          <Button type="submit" variant="primary" disabled={busy}>
            {busy && <Spinner />}
            Mail me a link
          </Button>
        </form>
      )}
    </AuthCard>
  );
}
