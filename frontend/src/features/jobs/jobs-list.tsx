"use client";

import { BriefcaseBusiness } from "lucide-react";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { TextLink } from "@/components/ui/text-link";
import type { JobStatus } from "@/lib/api/models";
import { JobsTable } from "./jobs-table";
import { useJobs } from "./use-jobs";

export function JobsList({ status }: { status: JobStatus | null }) {
  const jobs = useJobs(status);
  if (jobs.isPending) return <TableSkeleton rows={8} />;
  if (jobs.isError && !jobs.data) return <ErrorState error={jobs.error} onRetry={() => jobs.refetch()} />;
  const items = jobs.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState icon={BriefcaseBusiness} title={status ? "No job has this status" : "Nothing has run yet"}>
        {status ? (
          "Choose another status above."
        ) : (
          <TextLink href="/connections">Start a sync from a connection</TextLink>
        )}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-3">
      <JobsTable jobs={items} />
      {jobs.hasNextPage && (
        <Button className="justify-self-center" disabled={jobs.isFetchingNextPage} onClick={() => jobs.fetchNextPage()}>
          {jobs.isFetchingNextPage && <Spinner />}
          Load more
        </Button>
      )}
    </div>
  );
}
