"use client";

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { BackLink } from "@/components/ui/back-link";
import { ErrorState } from "@/components/ui/error-state";
import { MissingParameter } from "@/components/ui/missing-parameter";
import { PageHeader } from "@/components/ui/page-header";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { ApiError } from "@/lib/api/problem";
import { Explorer } from "./explorer";
import { tableQueries } from "./queries";

const noSuchTable = (name: string) =>
  new ApiError({
    title: "Not found",
    status: 404,
    detail: `There is no table named ${name}.`,
    code: "not_found",
    correlationId: null,
    errors: [],
  });

export function ExplorerPage() {
  const name = useSearchParams().get("t");
  const tables = useQuery(tableQueries.list());
  if (!name) return <MissingParameter what="table" href="/tables" />;
  if (tables.isPending) return <PageSkeleton title="Table" />;
  const table = tables.data?.items.find((one) => one.name === name);
  if (table) return <Explorer key={name} table={table} />;
  return (
    <div className="grid gap-5">
      <PageHeader title="Table" before={<BackLink href="/tables">Tables</BackLink>} />
      <ErrorState error={tables.error ?? noSuchTable(name)} onRetry={() => tables.refetch()} />
    </div>
  );
}
