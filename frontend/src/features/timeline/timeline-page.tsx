"use client";

import { Waypoints } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { Alert } from "@/components/ui/alert";
import { EmptyState } from "@/components/ui/empty-state";
import { PageHeader } from "@/components/ui/page-header";
import { isUuid } from "@/lib/uuid";
import { TimelineForm } from "./timeline-form";
import { TimelineView } from "./timeline-view";

export function TimelinePage() {
  const [id, setId] = useQueryState("id", parseAsString.withDefault("").withOptions({ history: "push" }));
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Timeline"
        description="Everything on record of one request, oldest first: its jobs, their stream runs and the audit events."
      />
      {/* An id that came by a link replaces what was typed. */}
      <TimelineForm key={id} id={id} onChange={setId} />
      {id === "" && (
        <EmptyState icon={Waypoints} title="Which request?">
          Enter a correlation id. It is on every job and every audit event, and with every error message.
        </EmptyState>
      )}
      {id !== "" && !isUuid(id) && (
        <Alert tone="danger" title="This is no correlation id" role="alert">
          The address asks for “{id}”. A correlation id has the form 0192f0c1-2345-7abc-8def-0123456789ab.
        </Alert>
      )}
      {isUuid(id) && <TimelineView key={id} id={id} />}
    </div>
  );
}
