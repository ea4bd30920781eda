"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useRef } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { NewPasswordField } from "@/features/auth/new-password-field";
import { useMe } from "@/features/shell/use-me";
import { $api } from "@/lib/api/query";
import { passwordErrors } from "./password-errors";
import { accountQueries } from "./queries";

export function PasswordForm() {
  const { user } = useMe();
  const queryClient = useQueryClient();
  const form = useRef<HTMLFormElement>(null);
  const change = $api.useMutation("post", "/api/v1/auth/password", {
    onSuccess: () => {
      form.current?.reset();
      toast.success("Your password is changed", { description: "Your other sessions have ended." });
      return queryClient.invalidateQueries({ queryKey: accountQueries.sessions() });
    },
  });
  const { problem, byField, rest } = passwordErrors(change.error);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const read = (name: string) => String(data.get(name) ?? "");
    change.mutate({ body: { current_password: read("current_password"), new_password: read("new_password") } });
  };
  return (
    <form ref={form} onSubmit={submit} className="grid gap-4">
      <FormProblem problem={problem} rest={rest} />
      {/* Tells password managers whose password this is. */}
      <input type="email" autoComplete="username" value={user.email} readOnly hidden />
      <Field id="current_password" label="Current password" error={byField.current_password}>
        {(control) => (
          <Input {...control} name="current_password" type="password" autoComplete="current-password" required />
        )}
      </Field>
      <NewPasswordField name="new_password" label="New password" error={byField.new_password} />
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button type="submit" variant="primary" disabled={change.isPending}>
          {change.isPending && <Spinner />}
          Change password
        </Button>
        <p className="text-muted-foreground text-xs">Ends your sessions everywhere but here.</p>
      </div>
    </form>
  );
}
