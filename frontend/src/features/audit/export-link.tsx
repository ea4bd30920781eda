"use client";

import { Download } from "lucide-react";
import { type MouseEvent, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { toApiError } from "@/lib/api/problem";
import { type AuditFilters, exportHref, toQuery } from "./filters";

/** A link, so that the browser saves a long file while it arrives. It cannot renew an expired session: a call before it does. */
export function ExportLink({ filters }: { filters: AuditFilters }) {
  const [isPreparing, setPreparing] = useState(false);
  const href = exportHref(filters);

  const download = async (event: MouseEvent) => {
    event.preventDefault();
    setPreparing(true);
    try {
      await client.GET("/api/v1/audit-events", { params: { query: { ...toQuery(filters), limit: 1 } } });
      location.assign(href);
    } catch (error) {
      toast.error(`No download: ${toApiError(error).message}`);
    } finally {
      setPreparing(false);
    }
  };

  return (
    <Button asChild>
      <a href={href} download onClick={download}>
        {isPreparing ? <Spinner /> : <Download aria-hidden />}
        Download CSV
      </a>
    </Button>
  );
}
