"use client";

import { useQuery } from "@tanstack/react-query";
import { TextLink } from "@/components/ui/text-link";
import { jobQueries } from "@/features/jobs/queries";
import { useMay } from "@/features/shell/use-may";

/** For where only the job's id is known: the job itself says its correlation id. Shows nothing where it may not be seen. */
export function JobTimelineLink({ jobId }: { jobId: string }) {
  const maySee = useMay("jobs.read");
  const { data } = useQuery({ ...jobQueries.detail(jobId), enabled: maySee });
  return data ? <TextLink href={`/timeline?id=${data.correlation_id}`}>View timeline</TextLink> : null;
}
