"use client";

import { useQuery } from "@tanstack/react-query";
import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { JsonTree } from "@/components/ui/json-tree";
import { Moment } from "@/components/ui/moment";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import type { RawRecordDetail } from "@/lib/api/models";
import { recordQuery, type StreamAt } from "./queries";
import { RecordState } from "./records-table";

type RecordDrawerProps = { where: StreamAt; id: string; onClose: () => void };

export function RecordDrawer({ where, id, onClose }: RecordDrawerProps) {
  const record = useQuery(recordQuery(where, id));
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent side="right" title="Vendor record" description="Its newest version, as the vendor sent it.">
        <DialogBody>
          {record.isPending && <PageSkeleton />}
          {record.isError && <ErrorState error={record.error} onRetry={() => record.refetch()} />}
          {record.data && <RecordFacts record={record.data} />}
        </DialogBody>
      </DialogContent>
    </Dialog>
  );
}

function RecordFacts({ record }: { record: RawRecordDetail }) {
  return (
    <div className="grid gap-4">
      <DefinitionList>
        <Definition term="Vendor's id">
          <code className="break-all font-mono text-xs">{record.source_id}</code>
        </Definition>
        {(record.is_open || record.deleted_at) && (
          <Definition term="State">
            <RecordState record={record} />
          </Definition>
        )}
        <Definition term="First seen so">
          <Moment at={record.observed_at} />
        </Definition>
        <Definition term="Landed">
          <Moment at={record.changed_at} />
        </Definition>
        {record.deleted_at && (
          <Definition term="Found gone">
            <Moment at={record.deleted_at} />
          </Definition>
        )}
      </DefinitionList>
      <div>
        <div className="mb-1 flex items-center justify-between">
          <h3 className="font-medium">{record.deleted_at ? "What it was last" : "Payload"}</h3>
          <CopyButton value={JSON.stringify(record.payload, null, 2)} label="Copy the record" />
        </div>
        <JsonTree value={record.payload} />
      </div>
    </div>
  );
}
