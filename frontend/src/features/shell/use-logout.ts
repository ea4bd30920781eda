"use client";

import { toast } from "sonner";
import { client } from "@/lib/api/client";
import { toApiError } from "@/lib/api/problem";

export function useLogout() {
  return () =>
    client.POST("/api/v1/auth/logout").then(
      // A full navigation drops every cached row of the tenant with the page.
      () => location.assign("/login"),
      (error: unknown) => {
        const problem = toApiError(error);
        if (problem.status === 401) location.assign("/login");
        else toast.error("You are still logged in", { description: problem.message });
      },
    );
}
