"use client";

import { Badge } from "@/components/ui/badge";
import { cn } from "@/lib/cn";
import { humanize } from "@/lib/format/words";
import { useMe } from "./use-me";

export function TenantLabel({ className }: { className?: string }) {
  const { tenant } = useMe();
  return (
    <span className={cn("grid min-w-0 justify-items-start gap-1", className)}>
      <span className="w-full truncate font-medium" title={tenant.name}>
        {tenant.name}
      </span>
      <Badge>{humanize(tenant.plan)} plan</Badge>
    </span>
  );
}
