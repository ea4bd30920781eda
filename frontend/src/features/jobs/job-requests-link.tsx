import { AppLink } from "@/components/ui/app-link";
import { Button } from "@/components/ui/button";
import { useMay } from "@/features/shell/use-may";
import type { Job } from "@/lib/api/models";

/** To what the job asked of the vendor, on its connection's page. */
export function JobRequestsLink({ job }: { job: Job }) {
  const mayRead = useMay("connections.read");
  const connectionId = job.params.connection_id;
  if (!mayRead || typeof connectionId !== "string") return null;
  return (
    <Button asChild>
      <AppLink href={`/connections/view?id=${connectionId}&tab=requests&job=${job.id}`}>Requests to the vendor</AppLink>
    </Button>
  );
}
