"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import type { AuditEvent } from "@/lib/api/models";
import { actionInWords } from "./action-words";
import { AuditEventFacts } from "./audit-event-facts";
import { AuditPayload } from "./audit-payload";
import { AuditProof } from "./audit-proof";
import { auditQueries } from "./queries";

type AuditDrawerProps = {
  id: string;
  events: readonly AuditEvent[];
  onMove: (id: string) => void;
  onClose: () => void;
};

export function AuditDrawer({ id, events, onMove, onClose }: AuditDrawerProps) {
  const detail = useQuery(auditQueries.detail(id));
  const at = events.findIndex((event) => event.id === id);
  const listed = events[at];
  const newer = at > 0 ? events[at - 1]?.id : undefined;
  const older = at >= 0 ? events[at + 1]?.id : undefined;
  const action = detail.data?.action ?? listed?.action;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent side="right" title={action ? actionInWords(action) : "Audit event"}>
        <div className="flex items-center gap-2 border-b px-5 py-2">
          <code className="min-w-0 flex-1 truncate font-mono text-muted-foreground text-xs">{id}</code>
          <Button
            size="icon"
            variant="ghost"
            aria-label="Newer event"
            disabled={!newer}
            onClick={() => newer && onMove(newer)}
          >
            <ChevronUp aria-hidden />
          </Button>
          <Button
            size="icon"
            variant="ghost"
            aria-label="Older event"
            disabled={!older}
            onClick={() => older && onMove(older)}
          >
            <ChevronDown aria-hidden />
          </Button>
        </div>
        <DialogBody>
          {detail.isPending && <PageSkeleton />}
          {detail.isError && <ErrorState error={detail.error} onRetry={() => detail.refetch()} />}
          {detail.data && (
            <div className="grid gap-6">
              <AuditEventFacts event={detail.data} />
              <AuditPayload payload={detail.data.payload} />
              <AuditProof event={detail.data} />
            </div>
          )}
        </DialogBody>
      </DialogContent>
    </Dialog>
  );
}
