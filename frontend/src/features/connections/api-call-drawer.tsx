"use client";

import { useQuery } from "@tanstack/react-query";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { ApiCallFacts } from "./api-call-facts";
import { connectionQueries } from "./queries";

type ApiCallDrawerProps = { connectionId: string; id: string; onClose: () => void };

export function ApiCallDrawer({ connectionId, id, onClose }: ApiCallDrawerProps) {
  const call = useQuery(connectionQueries.apiCall(connectionId, id));
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent side="right" title="One request" description="Secrets are masked as ***.">
        <DialogBody>
          {call.isPending && <PageSkeleton />}
          {call.isError && <ErrorState error={call.error} onRetry={() => call.refetch()} />}
          {call.data && <ApiCallFacts call={call.data} />}
        </DialogBody>
      </DialogContent>
    </Dialog>
  );
}
