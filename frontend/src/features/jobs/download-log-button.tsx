import { Download } from "lucide-react";
import { Button } from "@/components/ui/button";

export function DownloadLogButton({ jobId }: { jobId: string }) {
  return (
    <Button asChild size="sm">
      <a href={`/api/v1/jobs/${encodeURIComponent(jobId)}/log?format=text`} download>
        <Download aria-hidden />
        Download as text
      </a>
    </Button>
  );
}
