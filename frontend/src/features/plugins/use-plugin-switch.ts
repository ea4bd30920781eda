"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { connectionQueries } from "@/features/connections/queries";
import type { Plugin } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { pluginQueries } from "./queries";

export function usePluginSwitch(plugin: Plugin, onSettled: () => void) {
  const queryClient = useQueryClient();
  const told = (done: string) => ({
    onSuccess: () => {
      toast.success(`${plugin.title} is ${done}`);
      queryClient.invalidateQueries({ queryKey: connectionQueries.providers().queryKey });
      return queryClient.invalidateQueries({ queryKey: pluginQueries.list().queryKey });
    },
    onError: (error: unknown) => {
      const problem = toApiError(error);
      toast.error(problem.title, { description: problem.message });
    },
    onSettled,
  });
  const enable = $api.useMutation("post", "/api/v1/plugins/{name}/enable", told("enabled"));
  const disable = $api.useMutation("post", "/api/v1/plugins/{name}/disable", told("disabled"));
  const params = { path: { name: plugin.name } };
  return {
    enable: () => enable.mutate({ params }),
    disable: () => disable.mutate({ params }),
    isPending: enable.isPending || disable.isPending,
  };
}
