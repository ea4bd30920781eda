"use client";

import { useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import type { SavedView } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { tableQueries } from "./queries";

const versionOf = ({ id, version }: SavedView) => ({
  path: { view_id: id },
  header: { "If-Match": `"${version}"` },
});

/** Every change names the version it was made of, so that nobody's is lost without a word. */
export function useViewChanges(table: string, onReload: (view: SavedView) => void) {
  const queryClient = useQueryClient();
  const { queryKey } = tableQueries.views(table);
  const onSuccess = () => queryClient.invalidateQueries({ queryKey });
  const create = $api.useMutation("post", "/api/v1/tables/views", { onSuccess });
  const update = $api.useMutation("patch", "/api/v1/tables/views/{view_id}", { onSuccess });
  const remove = $api.useMutation("delete", "/api/v1/tables/views/{view_id}", { onSuccess });

  const reload = async (id: string) => {
    await queryClient.refetchQueries({ queryKey });
    const newest = queryClient
      .getQueryData<{ items: readonly SavedView[] }>(queryKey)
      ?.items.find((view) => view.id === id);
    if (newest) onReload(newest);
    else toast.error("This view is no longer there");
  };
  const report = (error: unknown, view: SavedView) => {
    const problem = toApiError(error);
    if (problem.status === 412) {
      toast.error(`Somebody changed ${view.name} in the meantime`, {
        description: "Nothing was overwritten. Open the newest version, or save yours as a new view.",
        duration: 20_000,
        action: { label: "Open newest", onClick: () => void reload(view.id) },
      });
    } else toast.error(problem.title, { description: problem.message });
  };
  return { create, update, remove, versionOf, report };
}
