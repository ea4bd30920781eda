"use client";

import { useRouter } from "next/navigation";
import { useCallback } from "react";
import { toast } from "sonner";
import { toApiError } from "@/lib/api/problem";

/** Tells why something was refused; when another job is in the way, with the way to that job. */
export function useReportFailure() {
  const router = useRouter();
  return useCallback(
    (error: unknown) => {
      const problem = toApiError(error);
      const job = problem.jobId;
      toast.error(problem.title, {
        description: problem.message,
        ...(job && { action: { label: "View job", onClick: () => router.push(`/jobs/view?id=${job}`) } }),
      });
    },
    [router],
  );
}
