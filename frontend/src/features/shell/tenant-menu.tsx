"use client";

import { ChevronsUpDown } from "lucide-react";
import { Menu, MenuContent, MenuLabel, MenuRadioGroup, MenuRadioItem, MenuTrigger } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import type { MyTenant } from "@/lib/api/models";
import { TenantLabel } from "./tenant-label";
import { useMe } from "./use-me";
import { useSwitchTenant } from "./use-switch-tenant";

const WHY_CLOSED: Record<Exclude<MyTenant["status"], "active">, string> = {
  disabled: "Your membership is disabled",
  suspended: "Suspended",
  closing: "Being closed",
};

export function TenantMenu({ tenants }: { tenants: readonly MyTenant[] }) {
  const { tenant } = useMe();
  const { to, isBusy } = useSwitchTenant();
  const change = (id: string) => id !== tenant.id && to(id);
  return (
    <Menu>
      <MenuTrigger
        disabled={isBusy}
        className="flex w-full cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 text-left hover:bg-accent disabled:cursor-wait"
      >
        <TenantLabel className="flex-1" />
        <span className="sr-only">Switch company</span>
        {isBusy ? <Spinner /> : <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-muted-foreground" />}
      </MenuTrigger>
      <MenuContent align="start" className="w-64">
        <MenuLabel>Switch company</MenuLabel>
        <MenuRadioGroup value={tenant.id} onValueChange={change}>
          {tenants.map(({ id, name, status, roles }) => (
            <MenuRadioItem key={id} value={id} disabled={status !== "active"}>
              <span className="grid min-w-0">
                <span className="truncate">{name}</span>
                <span className="truncate text-muted-foreground text-xs">
                  {status === "active" ? roles.join(", ") : WHY_CLOSED[status]}
                </span>
              </span>
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      </MenuContent>
    </Menu>
  );
}
