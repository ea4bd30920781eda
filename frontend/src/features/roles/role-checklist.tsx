"use client";

import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { CheckRow } from "@/components/ui/check-row";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { useMe } from "@/features/shell/use-me";
import { roleQueries } from "./queries";
import { OWNER, whyNotGrantable } from "./role-rules";

type RoleChecklistProps = {
  chosen: readonly string[];
  onChange: (roles: string[]) => void;
  /** Roles held before: taking one away is no gift, so they stay changeable. */
  held?: readonly string[];
  withoutOwner?: boolean;
  error?: string | undefined;
};

export function RoleChecklist({ chosen, onChange, held = [], withoutOwner = false, error }: RoleChecklistProps) {
  const id = useId();
  const me = useMe();
  const roles = useQuery(roleQueries.list());
  if (roles.isPending) return <TableSkeleton rows={4} />;
  if (roles.isError) return <ErrorState error={roles.error} onRetry={() => roles.refetch()} />;
  const offered = roles.data.items.filter(({ name }) => !(withoutOwner && name === OWNER));
  return (
    <fieldset className="grid gap-2.5" aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="mb-2 font-medium text-sm">Roles</legend>
      {offered.map((role) => {
        const reason = whyNotGrantable(role, me, held);
        return (
          <CheckRow
            key={role.name}
            label={role.title}
            hint={[role.description, reason].filter(Boolean).join(" ")}
            disabled={reason !== null}
            checked={chosen.includes(role.name)}
            onChange={(isChecked) =>
              onChange(isChecked ? [...chosen, role.name] : chosen.filter((name) => name !== role.name))
            }
          />
        );
      })}
      {error && (
        <p id={`${id}-error`} className="text-danger text-xs">
          {error}
        </p>
      )}
    </fieldset>
  );
}
