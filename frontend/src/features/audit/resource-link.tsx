import { TextLink } from "@/components/ui/text-link";
import { useMay } from "@/features/shell/use-may";

type ResourceLinkProps = { type: string; id: string };

/** A way to what an event was about, where it has a page of its own that this member may open. */
export function ResourceLink({ type, id }: ResourceLinkProps) {
  const maySeeJobs = useMay("jobs.read");
  const maySeeConnections = useMay("connections.read");
  if (type === "job" && maySeeJobs) return <TextLink href={`/jobs/view?id=${id}`}>View job</TextLink>;
  if (type === "connection" && maySeeConnections) {
    return <TextLink href={`/connections/view?id=${id}`}>View connection</TextLink>;
  }
  return null;
}
