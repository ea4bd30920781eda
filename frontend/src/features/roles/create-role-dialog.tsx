"use client";

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { useMe } from "@/features/shell/use-me";
import { formErrors } from "@/lib/api/form-errors";
import { $api } from "@/lib/api/query";
import { roleQueries } from "./queries";
import { RoleFields } from "./role-fields";
import { suggestRoleName } from "./role-name";

const FIELDS = ["name", "title", "description"] as const;

export function CreateRoleDialog({ onClose }: { onClose: () => void }) {
  const formId = useId();
  const queryClient = useQueryClient();
  const me = useMe();
  const { data: roles } = useQuery(roleQueries.list());
  const [title, setTitle] = useState("");
  const [ownName, setOwnName] = useState<string | null>(null);
  const [template, setTemplate] = useState("readonly");
  const create = $api.useMutation("post", "/api/v1/users/roles", {
    onSuccess: (role) => {
      toast.success(`${role.title} is made`, { description: "Tick what it permits in its column." });
      queryClient.invalidateQueries({ queryKey: roleQueries.list().queryKey });
      onClose();
    },
  });
  const { problem, byField, rest } = formErrors(create.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const like = roles?.items.find(({ name }) => name === template)?.permissions ?? [];
    create.mutate({
      body: {
        name: ownName ?? suggestRoleName(title),
        title: title.trim(),
        description: String(new FormData(event.currentTarget).get("description") ?? ""),
        // The copy holds what of the template one may give.
        permissions: like.filter((permission) => me.permissions.includes(permission)),
      },
    });
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title="Create role" description="Made first, then ticked in the table.">
        <DialogBody>
          <form id={formId} onSubmit={submit} className="grid gap-4">
            <FormProblem problem={problem} rest={rest} />
            <RoleFields id={formId} onTitle={setTitle} errors={byField} />
            <Field
              id={`${formId}-name`}
              label="Name"
              hint="For commands and the API: lower-case letters, digits and underscores. It never changes."
              error={byField.name}
            >
              {(control) => (
                <Input
                  {...control}
                  value={ownName ?? suggestRoleName(title)}
                  onChange={({ target }) => setOwnName(target.value === "" ? null : target.value)}
                  pattern="[a-z][a-z0-9_]{1,39}"
                  autoCapitalize="none"
                  autoComplete="off"
                  spellCheck={false}
                  className="font-mono"
                  required
                />
              )}
            </Field>
            <Field id={`${formId}-template`} label="Begin with what this role permits">
              {(control) => (
                <Select {...control} value={template} onChange={({ target }) => setTemplate(target.value)}>
                  <option value="">Nothing</option>
                  {roles?.items.map((role) => (
                    <option key={role.name} value={role.name}>
                      {role.title}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </form>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" disabled={create.isPending}>
            {create.isPending && <Spinner />}
            Create role
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
