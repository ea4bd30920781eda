"use client";

import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { AuthCard } from "./auth-card";
import { FormProblem } from "./form-problem";
import { SwitchLink } from "./switch-link";
import { useSubmit } from "./use-submit";

const FIELDS = ["email", "password"] as const;

export function LoginForm() {
  const { busy, problem, errors, submit } = useSubmit(FIELDS, (body) => client.POST("/api/v1/auth/login", { body }));
  return (
    <AuthCard
      title="Log in"
      footer={
        <>
          New here? <SwitchLink to="/register">Create an account</SwitchLink>
        </>
      }
    >
      <form onSubmit={submit} className="grid gap-4" aria-label="Log in">
        <FormProblem problem={problem} rest={errors.rest} />
        <Field id="email" label="E-mail" error={errors.byField.email}>
          {(control) => <Input {...control} name="email" type="email" autoComplete="username" required />}
        </Field>
        <Field id="password" label="Password" error={errors.byField.password}>
          {(control) => <Input {...control} name="password" type="password" autoComplete="current-password" required />}
        </Field>
        <Button type="submit" variant="primary" disabled={busy}>
          {busy && <Spinner />}
          Log in
        </Button>
        <p className="text-center">
          <SwitchLink to="/forgot-password">Forgot your password?</SwitchLink>
        </p>
      </form>
    </AuthCard>
  );
}
