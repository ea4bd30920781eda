"use client";

import { PageHeader } from "@/components/ui/page-header";
import { TextLink } from "@/components/ui/text-link";
import { AuditFilterForm } from "./audit-filter-form";
import { AuditList } from "./audit-list";
import { ChainPanel } from "./chain-panel";
import { ExportLink } from "./export-link";
import { useAuditState } from "./use-audit-state";

export function AuditPage() {
  const { filters, event, setFilters, openEvent } = useAuditState();
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Audit log"
        description={
          <>
            Who did what, newest first. To follow one request through all its traces, open its{" "}
            <TextLink href="/timeline">timeline</TextLink>.
          </>
        }
        actions={<ExportLink filters={filters} />}
      />
      <ChainPanel onOpenEvent={openEvent} />
      <AuditFilterForm filters={filters} onChange={setFilters} />
      <AuditList filters={filters} event={event} onOpen={openEvent} onChange={setFilters} />
    </div>
  );
}
