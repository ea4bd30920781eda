"use client";

import { useQuery } from "@tanstack/react-query";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { ErrorState } from "@/components/ui/error-state";
import { Moment } from "@/components/ui/moment";
import { formatBytes } from "@/lib/format/bytes";
import { JobFileLink } from "./job-file-link";
import { jobQueries } from "./queries";

/** The files a finished job made. Most make none, so nothing is shown before there are some. */
export function JobFiles({ jobId }: { jobId: string }) {
  const headingId = `files-${jobId}`;
  const files = useQuery(jobQueries.files(jobId));
  if (files.isPending || files.data?.items.length === 0) return null;
  return (
    <section aria-labelledby={headingId} className="grid min-w-0 gap-2">
      <h2 id={headingId} className="font-medium">
        Files
      </h2>
      {files.data ? (
        <DataTable label="Files of this job">
          <thead>
            <tr>
              <HeadCell>File</HeadCell>
              <HeadCell numeric>Size</HeadCell>
              <HeadCell>Made</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-b-0">
            {files.data.items.map((file) => (
              <tr key={file.id}>
                <Cell className="min-w-56">
                  <JobFileLink jobId={jobId} file={file} />
                </Cell>
                <Cell numeric className="whitespace-nowrap">
                  {formatBytes(file.size)}
                </Cell>
                <Cell>
                  <Moment at={file.created_at} />
                </Cell>
              </tr>
            ))}
          </tbody>
        </DataTable>
      ) : (
        <ErrorState error={files.error} onRetry={() => files.refetch()} />
      )}
    </section>
  );
}
