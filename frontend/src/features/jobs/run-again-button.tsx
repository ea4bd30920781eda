"use client";

import { RotateCw } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { useMe } from "@/features/shell/use-me";
import type { Job } from "@/lib/api/models";
import { isFinal } from "./job-status";
import { runAgainPermission } from "./run-again";
import { RunAgainDialog } from "./run-again-dialog";

export function RunAgainButton({ job }: { job: Job }) {
  const [isAsking, setAsking] = useState(false);
  const { permissions } = useMe();
  const needed = runAgainPermission(job.kind);
  if (!isFinal(job.status) || (needed !== null && !permissions.includes(needed))) return null;
  return (
    <>
      <Button onClick={() => setAsking(true)}>
        <RotateCw aria-hidden />
        Run again
      </Button>
      {isAsking && <RunAgainDialog job={job} onClose={() => setAsking(false)} />}
    </>
  );
}
