"use client";

import { toast } from "sonner";
import type { Member } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { reportProblem } from "@/lib/report-problem";
import { useMembersChanged } from "./use-members-changed";

export function useMemberChanges(member: Member, onSettled: () => void) {
  const changed = useMembersChanged();
  const told = (done: string) => ({
    onSuccess: () => {
      toast.success(`${member.name} is ${done}`);
      return changed();
    },
    onError: reportProblem,
    onSettled,
  });
  const params = { path: { user_id: member.user_id } };
  const disable = $api.useMutation("patch", "/api/v1/users/{user_id}", told("disabled"));
  const enable = $api.useMutation("patch", "/api/v1/users/{user_id}", told("enabled"));
  const remove = $api.useMutation("delete", "/api/v1/users/{user_id}", told("removed"));
  return {
    disable: () => disable.mutate({ params, body: { status: "disabled" } }),
    enable: () => enable.mutate({ params, body: { status: "active" } }),
    remove: () => remove.mutate({ params }),
    isPending: disable.isPending || enable.isPending || remove.isPending,
  };
}
