"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { toast } from "sonner";
import { sessionQueries } from "@/features/shell/queries";
import type { Role } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { reportProblem } from "@/lib/report-problem";
import { roleQueries } from "./queries";
import { type Drafts, toggled } from "./role-draft";

/** Ticks wait here until they are saved: each one counts for its holders at once, so nobody should give them by a slip. */
export function useRoleDrafts(roles: readonly Role[]) {
  const queryClient = useQueryClient();
  const [drafts, setDrafts] = useState<Drafts>({});
  const update = $api.useMutation("patch", "/api/v1/users/roles/{role_id}");
  const changed = roles.filter(({ id }) => id !== null && drafts[id] !== undefined);

  async function save() {
    for (const { id, title } of changed) {
      const draft = id && drafts[id];
      if (!draft) continue;
      // Before a draft goes, or the old ticks would show for a moment.
      const drop = async () => {
        await queryClient.invalidateQueries({ queryKey: roleQueries.list().queryKey });
        setDrafts(({ [id]: _, ...others }) => others);
      };
      try {
        await update.mutateAsync({
          params: { path: { role_id: id }, header: { "If-Match": `"${draft.version}"` } },
          body: { permissions: [...draft.permissions] },
        });
        await drop();
        toast.success(`${title} is saved`);
      } catch (error) {
        // Somebody else saved the role: what is ticked now was never meant for what it has become.
        if (toApiError(error).status === 412) await drop();
        reportProblem(error);
      }
    }
    // It may be a role of one's own.
    await queryClient.invalidateQueries({ queryKey: sessionQueries.me().queryKey });
    await queryClient.invalidateQueries({ queryKey: roleQueries.permissions().queryKey });
  }

  return {
    drafts,
    changed,
    isSaving: update.isPending,
    toggle: (role: Role, permission: string) => setDrafts((now) => toggled(now, role, permission)),
    discard: () => setDrafts({}),
    save,
  };
}

export type RoleDrafts = ReturnType<typeof useRoleDrafts>;
