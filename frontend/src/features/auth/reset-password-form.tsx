"use client";

import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { toApiError } from "@/lib/api/problem";
import { AuthCard } from "./auth-card";
import { FormProblem } from "./form-problem";
import { NewPasswordField } from "./new-password-field";
import { SwitchLink } from "./switch-link";
import { useSubmit } from "./use-submit";

const FIELDS = ["new_password"] as const;

type ResetPasswordFormProps = { token: string; onDone: () => void; onDead: () => void };

export function ResetPasswordForm({ token, onDone, onDead }: ResetPasswordFormProps) {
  const { busy, problem, errors, submit } = useSubmit(
    FIELDS,
    async (data) => {
      try {
        await client.POST("/api/v1/auth/password/reset", { body: { ...data, token } });
      } catch (error) {
        if (toApiError(error).code === "link_invalid") onDead();
        throw error;
      }
    },
    onDone,
  );
  return (
    <AuthCard
      title="Set a new password"
      footer={
        <>
          Remembered the old one? <SwitchLink to="/login">Log in</SwitchLink>
        </>
      }
    >
      <form onSubmit={submit} className="grid gap-4" aria-label="Set a new password">
        <FormProblem problem={problem} rest={errors.rest} />
        <NewPasswordField name="new_password" label="New password" error={errors.byField.new_password} />
        <p className="text-muted-foreground text-xs">Setting it ends your sessions on every device.</p>
        <Button type="submit" variant="primary" disabled={busy}>
          {busy && <Spinner />}
          Set password
        </Button>
      </form>
    </AuthCard>
  );
}
