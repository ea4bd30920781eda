"use client";

import { toast } from "sonner";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { HOME } from "@/lib/safe-next";
import { tellOtherTabs } from "@/lib/session-channel";

export function useSwitchTenant() {
  const change = $api.useMutation("post", "/api/v1/auth/switch-tenant", {
    onSuccess: () => {
      tellOtherTabs();
      // A full navigation drops every cached row of the former tenant with the page, and every answer still under way.
      location.assign(HOME);
    },
    onError: (error) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
    },
  });
  return {
    to: (tenantId: string) => change.mutate({ body: { tenant_id: tenantId } }),
    // The page is about to go, so a switch that succeeded is still under way.
    isBusy: change.isPending || change.isSuccess,
  };
}
