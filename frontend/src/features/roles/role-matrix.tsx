"use client";

import { useQuery } from "@tanstack/react-query";
import { ShieldCheck } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { MatrixSaveBar } from "./matrix-save-bar";
import { MatrixTable } from "./matrix-table";
import { roleQueries } from "./queries";
import { useRoleDrafts } from "./use-role-drafts";

export function RoleMatrix() {
  const roles = useQuery(roleQueries.list());
  const permissions = useQuery(roleQueries.permissions());
  const drafts = useRoleDrafts(roles.data?.items ?? []);
  if (roles.isPending || permissions.isPending) return <TableSkeleton rows={8} />;
  if (roles.isError) return <ErrorState error={roles.error} onRetry={() => roles.refetch()} />;
  if (permissions.isError) return <ErrorState error={permissions.error} onRetry={() => permissions.refetch()} />;
  if (permissions.data.items.length === 0) return <EmptyState icon={ShieldCheck} title="There are no permissions" />;
  return (
    <div className="grid min-w-0 gap-3">
      <MatrixTable roles={roles.data.items} permissions={permissions.data.items} drafts={drafts} />
      <MatrixSaveBar drafts={drafts} />
    </div>
  );
}
