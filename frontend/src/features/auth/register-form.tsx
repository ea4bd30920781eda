"use client";

import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { suggestSlug } from "@/lib/slug";
import { AuthCard } from "./auth-card";
import { FormProblem } from "./form-problem";
import { NewPasswordField } from "./new-password-field";
import { SwitchLink } from "./switch-link";
import { useSubmit } from "./use-submit";

const FIELDS = ["tenant_name", "tenant_slug", "full_name", "email", "password"] as const;

export function RegisterForm() {
  const { busy, problem, errors, submit } = useSubmit(FIELDS, (body) => client.POST("/api/v1/auth/register", { body }));
  const [company, setCompany] = useState("");
  const [ownSlug, setOwnSlug] = useState<string | null>(null);
  const slug = ownSlug ?? suggestSlug(company);
  return (
    <AuthCard
      title="Create an account"
      footer={
        <>
          Have an account? <SwitchLink to="/login">Log in</SwitchLink>
        </>
      }
    >
      <form onSubmit={submit} className="grid gap-4" aria-label="Create an account">
        <FormProblem problem={problem} rest={errors.rest} />
        <Field id="tenant_name" label="Company" error={errors.byField.tenant_name}>
          {(control) => (
            <Input
              {...control}
              name="tenant_name"
              autoComplete="organization"
              value={company}
              onChange={(event) => setCompany(event.target.value)}
              required
            />
          )}
        </Field>
        <Field
          id="tenant_slug"
          label="Short name"
          hint="Identifies the company in commands and exports: lower-case letters, digits and hyphens."
          error={errors.byField.tenant_slug}
        >
          {(control) => (
            <Input
              {...control}
              name="tenant_slug"
              value={slug}
              onChange={(event) => setOwnSlug(event.target.value === "" ? null : event.target.value)}
              autoCapitalize="none"
              spellCheck={false}
              className="font-mono"
              required
            />
          )}
        </Field>
        <Field id="full_name" label="Your name" error={errors.byField.full_name}>
          {(control) => <Input {...control} name="full_name" autoComplete="name" required />}
        </Field>
        <Field id="email" label="E-mail" error={errors.byField.email}>
          {(control) => <Input {...control} name="email" type="email" autoComplete="username" required />}
        </Field>
        <NewPasswordField name="password" label="Password" error={errors.byField.password} />
        <Button type="submit" variant="primary" disabled={busy}>
          {busy && <Spinner />}
          Create account
        </Button>
      </form>
    </AuthCard>
  );
}
