"use client";

import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Cell, DataTable, HeadCell } from "@/components/ui/data-table";
import { ErrorState } from "@/components/ui/error-state";
import { Moment } from "@/components/ui/moment";
import { formatBytes } from "@/lib/format/bytes";
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
              <HeadCell>Name</HeadCell>
              <HeadCell numeric>Size</HeadCell>
              <HeadCell>Made</HeadCell>
              <HeadCell>SHA-256</HeadCell>
              <HeadCell>
                <span className="sr-only">Download</span>
              </HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-b-0">
            {files.data.items.map((file) => (
              <tr key={file.id}>
                <Cell className="min-w-40 break-all font-medium">{file.name}</Cell>
                <Cell numeric className="whitespace-nowrap">
                  {formatBytes(file.size)}
                </Cell>
                <Cell className="whitespace-nowrap">
                  <Moment at={file.created_at} />
                </Cell>
                <Cell className="whitespace-nowrap">
                  <span className="flex items-center gap-1 font-mono text-xs" title={file.sha256}>
                    {file.sha256.slice(0, 12)}…
                    <CopyButton value={file.sha256} label={`Copy SHA-256 of ${file.name}`} />
                  </span>
                </Cell>
                <Cell className="w-px">
                  <Button asChild size="sm">
                    <a
                      href={`/api/v1/jobs/${encodeURIComponent(jobId)}/artifacts/${encodeURIComponent(file.id)}`}
                      download={file.name}
                      aria-label={`Download ${file.name}`}
                    >
                      <Download aria-hidden />
                      Download
                    </a>
                  </Button>
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
