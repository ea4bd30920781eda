"use client";

import { useQuery } from "@tanstack/react-query";
import { Table2 } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { TextLink } from "@/components/ui/text-link";
import { tableQueries } from "./queries";
import { TableList } from "./table-list";

function Body() {
  const tables = useQuery(tableQueries.list());
  if (tables.isPending) return <TableSkeleton rows={3} />;
  if (tables.isError) return <ErrorState error={tables.error} onRetry={() => tables.refetch()} />;
  if (tables.data.items.length > 0) return <TableList tables={tables.data.items} />;
  return (
    <EmptyState icon={Table2} title="No tables yet">
      <TextLink href="/connections">Connect a vendor account</TextLink> to fill some.
    </EmptyState>
  );
}

export function TablesPage() {
  return (
    <div className="grid gap-5">
      <PageHeader title="Tables" description="What the connections landed, in one shape for every vendor." />
      <Body />
    </div>
  );
}
