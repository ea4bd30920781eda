"use client";

import { useQuery } from "@tanstack/react-query";
import { sessionQueries } from "./queries";
import { TenantLabel } from "./tenant-label";
import { TenantMenu } from "./tenant-menu";

/** The tenant at hand; a menu for those who belong to more than one. */
export function TenantCard() {
  const { data } = useQuery(sessionQueries.tenants());
  const tenants = data?.items ?? [];
  // Alone, or not known: a list that failed only costs the switch, so the card says nothing of it.
  if (tenants.length < 2) return <TenantLabel className="px-2.5 py-1.5" />;
  return <TenantMenu tenants={tenants} />;
}
