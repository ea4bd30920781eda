"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { $api } from "@/lib/api/query";
import { connectionQueries } from "./queries";

export function useResetCursor(connectionId: string, title: string, onDone: () => void) {
  const queryClient = useQueryClient();
  return $api.useMutation("post", "/api/v1/connections/{connection_id}/cursors/{stream}/reset", {
    onSuccess: (cursor) => {
      toast.success(`The cursor of ${title} is reset`, { description: cursor.summary });
      queryClient.invalidateQueries({ queryKey: connectionQueries.cursors(connectionId).queryKey });
      queryClient.invalidateQueries({ queryKey: connectionQueries.streams(connectionId).queryKey });
      onDone();
    },
  });
}
