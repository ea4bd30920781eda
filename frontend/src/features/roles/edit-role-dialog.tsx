"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { formErrors } from "@/lib/api/form-errors";
import type { Role } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { roleQueries } from "./queries";
import { RoleFields } from "./role-fields";

const FIELDS = ["title", "description"] as const;

export function EditRoleDialog({ role, onClose }: { role: Role; onClose: () => void }) {
  const formId = useId();
  const queryClient = useQueryClient();
  // The version its fields were filled from, whatever the list says by now.
  const [seen] = useState(role.version);
  const save = $api.useMutation("patch", "/api/v1/users/roles/{role_id}", {
    onSuccess: () => {
      toast.success("The role is saved");
      queryClient.invalidateQueries({ queryKey: roleQueries.list().queryKey });
      onClose();
    },
  });
  const { problem, byField, rest } = formErrors(save.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (role.id === null) return;
    const form = new FormData(event.currentTarget);
    const body = { title: String(form.get("title") ?? "").trim(), description: String(form.get("description") ?? "") };
    save.mutate({ params: { path: { role_id: role.id }, header: { "If-Match": `"${seen}"` } }, body });
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={`Edit ${role.title}`} description="What it permits is ticked in the table.">
        <DialogBody>
          <form id={formId} onSubmit={submit} className="grid gap-4">
            <FormProblem problem={problem} rest={rest} />
            <RoleFields id={formId} title={role.title} description={role.description} errors={byField} />
          </form>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" disabled={save.isPending}>
            {save.isPending && <Spinner />}
            Save role
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
