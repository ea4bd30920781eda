"use client";

import { ScanSearch } from "lucide-react";
import { useState } from "react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LabelledCheckbox } from "@/components/ui/labelled-checkbox";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { SchemaNoticesTable } from "./schema-notices-table";
import { useSchemaNotices } from "./use-schema-notices";

export function SchemaNoticeList({ connectionId }: { connectionId: string }) {
  const [isOpenOnly, setOpenOnly] = useState(true);
  const notices = useSchemaNotices(connectionId, isOpenOnly);
  const items = notices.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <div className="grid gap-3">
      <LabelledCheckbox checked={isOpenOnly} onChange={setOpenOnly}>
        Only those nobody acknowledged
      </LabelledCheckbox>
      {notices.isPending && <TableSkeleton rows={3} />}
      {notices.isError && !notices.data && <ErrorState error={notices.error} onRetry={() => notices.refetch()} />}
      {notices.data && items.length === 0 && (
        <EmptyState icon={ScanSearch} title={isOpenOnly ? "Nothing is open" : "Nothing was noticed"}>
          A field that appears in the vendor's records, or changes its type, is noticed here once.
        </EmptyState>
      )}
      {items.length > 0 && <SchemaNoticesTable connectionId={connectionId} notices={items} />}
      <LoadMore pages={notices} />
    </div>
  );
}
