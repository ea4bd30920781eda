"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { Job } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { isFinal } from "./job-status";
import { newerJob } from "./job-stream";
import { jobQueries } from "./queries";

export function CancelJobButton({ job }: { job: Job }) {
  const queryClient = useQueryClient();
  const cancel = $api.useMutation("post", "/api/v1/jobs/{job_id}/cancel", {
    onSuccess: (answer) => {
      queryClient.setQueryData<Job>(jobQueries.detail(job.id).queryKey, (current) => newerJob(current, answer));
      if (!isFinal(answer.status)) toast.info("The job stops after the page it is on");
    },
    onError: (error) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
    },
  });
  if (isFinal(job.status)) return null;
  const isStopping = cancel.isPending || job.cancel_requested_at !== null;
  return (
    <Button disabled={isStopping} onClick={() => cancel.mutate({ params: { path: { job_id: job.id } } })}>
      {isStopping && <Spinner />}
      {job.cancel_requested_at ? "Stopping…" : "Cancel job"}
    </Button>
  );
}
