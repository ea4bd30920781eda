"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ErrorState } from "@/components/ui/error-state";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { useMay } from "@/features/shell/use-may";
import type { CursorDetail } from "@/lib/api/models";
import { CursorsTable } from "./cursors-table";
import { connectionQueries } from "./queries";
import { ResetCursorDialog } from "./reset-cursor-dialog";

export function CursorList({ connectionId }: { connectionId: string }) {
  const cursors = useQuery(connectionQueries.cursors(connectionId));
  const mayReset = useMay("connections.manage");
  const [resetting, setResetting] = useState<CursorDetail | null>(null);
  if (cursors.isPending) return <TableSkeleton rows={3} />;
  if (cursors.isError && !cursors.data) return <ErrorState error={cursors.error} onRetry={() => cursors.refetch()} />;
  return (
    <>
      <CursorsTable cursors={cursors.data.items} onReset={mayReset ? setResetting : null} />
      {resetting && (
        <ResetCursorDialog connectionId={connectionId} cursor={resetting} onClose={() => setResetting(null)} />
      )}
    </>
  );
}
