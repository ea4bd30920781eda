"use client";

import { useQueryClient } from "@tanstack/react-query";
import { FileCheck2 } from "lucide-react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { evidenceQueries } from "./evidence-queries";

export function MakeEvidenceButton({ jobId, isAgain }: { jobId: string; isAgain: boolean }) {
  const queryClient = useQueryClient();
  const make = $api.useMutation("post", "/api/v1/jobs/{job_id}/evidence", {
    onSuccess: (answer) => queryClient.setQueryData(evidenceQueries.of(jobId).queryKey, answer),
  });
  const problem = make.isError ? toApiError(make.error) : null;
  return (
    <>
      {/* That a job has nothing to prove is lasting news, so it stays on the page. */}
      {problem && (
        <Alert tone="danger" role="alert" title={problem.title}>
          {problem.message !== problem.title && problem.message}
        </Alert>
      )}
      <Button
        className="w-fit"
        disabled={make.isPending}
        onClick={() => make.mutate({ params: { path: { job_id: jobId } } })}
      >
        {make.isPending ? <Spinner /> : <FileCheck2 aria-hidden />}
        {isAgain ? "Try again" : "Make evidence pack"}
      </Button>
    </>
  );
}
