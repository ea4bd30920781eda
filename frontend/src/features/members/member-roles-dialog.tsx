"use client";

import { type SubmitEvent, useId, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { RoleChecklist } from "@/features/roles/role-checklist";
import { formErrors } from "@/lib/api/form-errors";
import type { Member } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { useMembersChanged } from "./use-members-changed";

const FIELDS = ["roles"] as const;

export function MemberRolesDialog({ member, onClose }: { member: Member; onClose: () => void }) {
  const formId = useId();
  const [roles, setRoles] = useState<string[]>(member.roles);
  const changed = useMembersChanged();
  const save = $api.useMutation("put", "/api/v1/users/{user_id}/roles", {
    onSuccess: () => {
      toast.success(`The roles of ${member.name} are changed`);
      changed();
      onClose();
    },
  });
  const { problem, byField, rest } = formErrors(save.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    save.mutate({ params: { path: { user_id: member.user_id } }, body: { roles } });
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={`Roles of ${member.name}`} description="Changes count from their next request on.">
        <DialogBody>
          <form id={formId} onSubmit={submit} className="grid gap-4">
            <FormProblem problem={problem} rest={rest} />
            <RoleChecklist chosen={roles} onChange={setRoles} held={member.roles} error={byField.roles} />
          </form>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={formId} variant="primary" disabled={save.isPending || roles.length === 0}>
            {save.isPending && <Spinner />}
            Save roles
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
