"use client";

import { useQueryClient } from "@tanstack/react-query";
import type { SubmitEvent } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { sessionQueries } from "@/features/shell/queries";
import { useMe } from "@/features/shell/use-me";
import type { Me } from "@/lib/api/models";
import { splitFieldErrors, toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";

const FIELDS = ["full_name"] as const;

export function ProfileForm() {
  const { user, tenant, roles } = useMe();
  const queryClient = useQueryClient();
  const rename = $api.useMutation("patch", "/api/v1/auth/me", {
    onSuccess: (answer) => {
      queryClient.setQueryData<Me>(sessionQueries.me().queryKey, (me) => me && { ...me, user: answer });
      toast.success("Your name is saved");
    },
  });
  const problem = rename.error ? toApiError(rename.error) : null;
  const errors = problem && splitFieldErrors(problem, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget).get("full_name") ?? "");
    rename.mutate({ body: { full_name: name.trim() } });
  };
  return (
    <form onSubmit={submit} className="grid gap-4">
      <FormProblem problem={errors?.byField.full_name ? null : problem} rest={errors?.rest ?? []} />
      <Field id="full_name" label="Your name" error={errors?.byField.full_name}>
        {(control) => (
          <Input {...control} name="full_name" autoComplete="name" maxLength={200} defaultValue={user.name} required />
        )}
      </Field>
      <DefinitionList>
        <Definition term="E-mail">{user.email}</Definition>
        <Definition term={roles.length === 1 ? "Role" : "Roles"}>
          {roles.join(", ") || "None"} in {tenant.name}
        </Definition>
      </DefinitionList>
      <Button type="submit" variant="primary" className="justify-self-start" disabled={rename.isPending}>
        {rename.isPending && <Spinner />}
        Save name
      </Button>
    </form>
  );
}
