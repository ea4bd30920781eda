"use client";

import { Badge } from "@/components/ui/badge";
import { humanize } from "@/lib/format/words";
import { useMe } from "./use-me";

export function TenantCard() {
  const { tenant } = useMe();
  return (
    <div className="grid justify-items-start gap-1 px-2.5">
      <span className="w-full truncate font-medium" title={tenant.name}>
        {tenant.name}
      </span>
      <Badge>{humanize(tenant.plan)} plan</Badge>
    </div>
  );
}
