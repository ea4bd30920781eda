"use client";

import { Users } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { MembersTable } from "./members-table";
import { useMembers } from "./use-members";

export function MemberList() {
  const members = useMembers();
  if (members.isPending) return <TableSkeleton rows={4} />;
  if (members.isError && !members.data) return <ErrorState error={members.error} onRetry={() => members.refetch()} />;
  const items = members.data.pages.flatMap((page) => page.items);
  if (items.length === 0) return <EmptyState icon={Users} title="Nobody is a member" />;
  return (
    <div className="grid min-w-0 gap-3">
      <MembersTable members={items} />
      <LoadMore pages={members} />
    </div>
  );
}
