"use client";

import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { Tabs, TabsList, TabsPanel, TabsTrigger } from "@/components/ui/tabs";
import type { TableInfo, TableRow } from "@/lib/api/models";
import { tableQueries } from "./queries";
import { RowFields } from "./row-fields";
import { RowLineage } from "./row-lineage";
import { RowRaw } from "./row-raw";

type RowDrawerProps = {
  table: TableInfo;
  id: string;
  rows: readonly TableRow[];
  onMove: (id: string) => void;
  onClose: () => void;
};

export function RowDrawer({ table, id, rows, onMove, onClose }: RowDrawerProps) {
  const detail = useQuery(tableQueries.row(table.name, id));
  const at = rows.findIndex((row) => String(row.id) === id);
  const neighbour = (step: number) => (at < 0 ? undefined : rows[at + step]?.id);
  const move = (step: number) => {
    const next = neighbour(step);
    if (next !== undefined) onMove(String(next));
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent side="right" title={`${table.title}: one row`}>
        <div className="flex items-center gap-2 border-b px-5 py-2">
          <code className="min-w-0 flex-1 truncate font-mono text-muted-foreground text-xs">{id}</code>
          <Button
            size="icon"
            variant="ghost"
            aria-label="Previous row"
            disabled={!neighbour(-1)}
            onClick={() => move(-1)}
          >
            <ChevronUp aria-hidden />
          </Button>
          <Button size="icon" variant="ghost" aria-label="Next row" disabled={!neighbour(1)} onClick={() => move(1)}>
            <ChevronDown aria-hidden />
          </Button>
        </div>
        {detail.isPending && (
          <DialogBody>
            <PageSkeleton />
          </DialogBody>
        )}
        {detail.isError && (
          <DialogBody>
            <ErrorState error={detail.error} onRetry={() => detail.refetch()} />
          </DialogBody>
        )}
        {detail.data && (
          <Tabs defaultValue="row" className="flex min-h-0 flex-1 flex-col pt-1">
            <TabsList aria-label="Parts of the row">
              <TabsTrigger value="row">Row</TabsTrigger>
              <TabsTrigger value="raw">Raw record</TabsTrigger>
              <TabsTrigger value="lineage">Lineage</TabsTrigger>
            </TabsList>
            <div className="min-h-0 flex-1 overflow-y-auto">
              <TabsPanel value="row">
                <RowFields table={table} row={detail.data.row} />
              </TabsPanel>
              <TabsPanel value="raw">
                <RowRaw raw={detail.data.raw} />
              </TabsPanel>
              <TabsPanel value="lineage">
                <RowLineage lineage={detail.data.lineage} />
              </TabsPanel>
            </div>
          </Tabs>
        )}
      </DialogContent>
    </Dialog>
  );
}
