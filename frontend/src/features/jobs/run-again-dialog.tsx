"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { toast } from "sonner";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { TextLink } from "@/components/ui/text-link";
import type { Job } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { asksVendor } from "./asks-vendor";
import { jobQueries } from "./queries";
import { whyNotAgain } from "./run-again";

export function RunAgainDialog({ job, onClose }: { job: Job; onClose: () => void }) {
  const router = useRouter();
  const queryClient = useQueryClient();
  const again = $api.useMutation("post", "/api/v1/jobs/{job_id}/replay", {
    onSuccess: ({ job_id }) => {
      queryClient.invalidateQueries({ queryKey: jobQueries.lists() });
      toast.success("The job was asked for again");
      onClose();
      router.push(`/jobs/view?id=${job_id}`);
    },
  });
  const problem = again.isError ? toApiError(again.error) : null;
  const why = problem && whyNotAgain(problem);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title="Run this job again?" description={job.title}>
        <DialogBody className="grid gap-3">
          <p>
            A new job starts with the same parameters; this one and its log stay as they are.
            {asksVendor(job) && " It asks the vendor again and goes on from where the connection stands now."}
          </p>
          {job.params.mode === "full" && (
            <p>This was a full read: rows that the vendor no longer shows are marked deleted.</p>
          )}
          {problem && (
            <Alert tone="danger" role="alert" title={problem.title}>
              {problem.message !== problem.title && <p>{problem.message}</p>}
              {why && <p>{why}</p>}
              {problem.jobId && <TextLink href={`/jobs/view?id=${problem.jobId}`}>View that job</TextLink>}
            </Alert>
          )}
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            variant="primary"
            disabled={again.isPending}
            onClick={() => again.mutate({ params: { path: { job_id: job.id } } })}
          >
            {again.isPending && <Spinner />}
            Run again
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
