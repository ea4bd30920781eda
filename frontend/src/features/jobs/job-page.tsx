"use client";

import { useSearchParams } from "next/navigation";
import { MissingParameter } from "@/components/ui/missing-parameter";
import { JobView } from "./job-view";

export function JobPage() {
  const id = useSearchParams().get("id");
  if (!id) return <MissingParameter what="job" href="/jobs" />;
  // Another job is another stream: nothing of the former may stay.
  return <JobView key={id} id={id} />;
}
