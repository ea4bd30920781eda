"use client";

import { useState } from "react";
import type { Job } from "@/lib/api/models";
import { isFinal } from "./job-status";
import { KeptJobLog } from "./kept-job-log";
import { LiveJobLog } from "./live-job-log";

/**
 * What was running when the page was opened stays live to its end and beyond: a log that starts anew at its first line
 * the moment the job is done would take away what is being read.
 */
export function JobLog({ job }: { job: Job }) {
  const [isKept, setKept] = useState(isFinal(job.status));
  return isKept ? <KeptJobLog jobId={job.id} /> : <LiveJobLog jobId={job.id} onShowKept={() => setKept(true)} />;
}
