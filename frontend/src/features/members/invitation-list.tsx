"use client";

import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { InvitationsTable } from "./invitations-table";
import { useInvitations } from "./use-members";

export function InvitationList() {
  const invitations = useInvitations();
  const items = invitations.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <section aria-labelledby="invitations" className="grid min-w-0 gap-3">
      <h2 id="invitations" className="font-medium">
        Pending invitations
      </h2>
      {invitations.isPending && <TableSkeleton rows={2} />}
      {invitations.isError && !invitations.data && (
        <ErrorState error={invitations.error} onRetry={() => invitations.refetch()} />
      )}
      {invitations.data && items.length === 0 && <p className="text-muted-foreground">No invitation is open.</p>}
      {items.length > 0 && <InvitationsTable invitations={items} />}
      <LoadMore pages={invitations} />
    </section>
  );
}
