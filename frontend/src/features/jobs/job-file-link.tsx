import { Download } from "lucide-react";
import { CopyButton } from "@/components/ui/copy-button";
import type { JobFile } from "@/lib/api/models";

const SHOWN = 16;

export function JobFileLink({ jobId, file }: { jobId: string; file: JobFile }) {
  return (
    <>
      <a
        href={`/api/v1/jobs/${encodeURIComponent(jobId)}/artifacts/${encodeURIComponent(file.id)}`}
        download={file.name}
        aria-label={`Download ${file.name}`}
        className="inline-flex gap-2 font-medium text-primary underline decoration-primary/40 underline-offset-4 hover:decoration-primary"
      >
        <Download aria-hidden className="mt-0.5 size-4 shrink-0" />
        <span className="break-all">{file.name}</span>
      </a>
      <p className="flex items-center gap-1 font-mono text-muted-foreground text-xs">
        <span title={file.sha256}>SHA-256 {file.sha256.slice(0, SHOWN)}…</span>
        <CopyButton value={file.sha256} label={`Copy SHA-256 of ${file.name}`} />
      </p>
    </>
  );
}
