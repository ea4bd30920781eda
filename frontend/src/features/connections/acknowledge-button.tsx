"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { SchemaNotice } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { useReportFailure } from "./use-report-failure";

export function AcknowledgeButton({ connectionId, notice }: { connectionId: string; notice: SchemaNotice }) {
  const queryClient = useQueryClient();
  const reportFailure = useReportFailure();
  const acknowledge = $api.useMutation(
    "post",
    "/api/v1/connections/{connection_id}/schema-notices/{notice_id}/acknowledge",
    {
      // A prefix: the list is there once for each filter.
      onSuccess: () =>
        queryClient.invalidateQueries({ queryKey: ["get", "/api/v1/connections/{connection_id}/schema-notices"] }),
      onError: reportFailure,
    },
  );
  return (
    <Button
      size="sm"
      disabled={acknowledge.isPending}
      aria-label={`Acknowledge ${notice.path}`}
      onClick={() => acknowledge.mutate({ params: { path: { connection_id: connectionId, notice_id: notice.id } } })}
    >
      {acknowledge.isPending && <Spinner />}
      Acknowledge
    </Button>
  );
}
