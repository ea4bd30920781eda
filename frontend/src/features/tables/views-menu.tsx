"use client";

import { Bookmark } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuContent, MenuItem, MenuLabel, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import type { SavedView, TableInfo } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { defaultVisibility, shownNames } from "./column-visibility";
import type { ExplorerState } from "./use-explorer-state";
import type { OpenedView } from "./use-opened-view";
import { useViewChanges } from "./use-view-changes";
import { isChanged } from "./view-changes";
import { ViewDialog } from "./view-dialog";
import { ViewItems } from "./view-items";

type ViewsMenuProps = { table: TableInfo; state: ExplorerState; view: OpenedView; shown: string[] };

/** Filters, order and columns under a name. Opening one only sets the address, so the way back is the browser's. */
export function ViewsMenu({ table, state, view, shown }: ViewsMenuProps) {
  const [dialog, setDialog] = useState<"create" | "edit" | "delete" | null>(null);
  const { views, opened, setSeen } = view;
  const ownColumns = shownNames(table.columns, defaultVisibility(table.columns));
  const open = (next: SavedView) => {
    setSeen(next);
    state.openView(next, ownColumns);
  };
  const { create, update, remove, versionOf, report } = useViewChanges(table.name, open);
  const kept = { filters: state.encoded, sort: state.sort, columns: shown };
  const hasChanged = opened !== null && isChanged(opened, kept, table.default_sort, ownColumns);

  const close = () => {
    setDialog(null);
    create.reset();
    update.reset();
  };
  const settled = (view: SavedView, words: string) => {
    setSeen(view);
    state.nameView(view.id, shown);
    toast.success(words);
    close();
  };
  const save = (view: SavedView, body: Parameters<typeof update.mutate>[0]["body"]) =>
    update.mutate(
      { params: versionOf(view), body },
      {
        onSuccess: (next) => settled(next, `${next.name} is saved`),
        onError: (error) => {
          const isStale = toApiError(error).status === 412;
          if (isStale) close();
          if (isStale || dialog !== "edit") report(error, view);
        },
      },
    );

  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button size="sm" className="max-w-64">
            <Bookmark aria-hidden />
            <span className="truncate">{opened ? opened.name : "Views"}</span>
            {hasChanged && <span className="text-muted-foreground text-xs">changed</span>}
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          {views.isError ? (
            <MenuItem onSelect={() => views.refetch()}>
              <span className="text-danger">{toApiError(views.error).message}</span> Try again
            </MenuItem>
          ) : views.isPending ? (
            <MenuLabel>Loading views…</MenuLabel>
          ) : (
            <ViewItems views={views.data.items} openedId={opened?.id ?? ""} onOpen={open} />
          )}
          <MenuSeparator />
          {opened?.mine && (
            <MenuItem disabled={!hasChanged || update.isPending} onSelect={() => save(opened, kept)}>
              Save changes to this view
            </MenuItem>
          )}
          <MenuItem onSelect={() => setDialog("create")}>Save as new view…</MenuItem>
          {opened?.mine && (
            <>
              <MenuItem onSelect={() => setDialog("edit")}>Rename, share or chart…</MenuItem>
              <MenuItem className="text-danger" onSelect={() => setDialog("delete")}>
                Delete view…
              </MenuItem>
            </>
          )}
          {opened && <MenuItem onSelect={() => state.leaveView()}>Leave view</MenuItem>}
        </MenuContent>
      </Menu>
      {dialog === "create" && (
        <ViewDialog
          table={table}
          title="Save as new view"
          description={`Keeps the filters, order and columns of ${table.title}, and a chart of them.`}
          submitLabel="Save view"
          initial={{ name: "", shared: false, chart: opened?.chart ?? null }}
          busy={create.isPending}
          error={create.error}
          onClose={close}
          onSubmit={(naming) =>
            create.mutate(
              { body: { table: table.name, ...naming, ...kept } },
              { onSuccess: (view) => settled(view, `${view.name} is saved`) },
            )
          }
        />
      )}
      {dialog === "edit" && opened && (
        <ViewDialog
          table={table}
          title={`Rename, share or chart ${opened.name}`}
          description="Those it is shared with can open it; only you can change it."
          submitLabel="Save"
          initial={opened}
          busy={update.isPending}
          error={update.error}
          onClose={close}
          onSubmit={(naming) => save(opened, naming)}
        />
      )}
      {opened && (
        <ConfirmDialog
          open={dialog === "delete"}
          onOpenChange={(isOpen) => setDialog(isOpen ? "delete" : null)}
          title={`Delete the view ${opened.name}?`}
          confirmLabel="Delete view"
          busy={remove.isPending}
          onConfirm={() =>
            remove.mutate(
              { params: versionOf(opened) },
              {
                onSuccess: () => {
                  toast.success(`${opened.name} is deleted`);
                  state.leaveView();
                },
                onError: (error) => report(error, opened),
                onSettled: close,
              },
            )
          }
        >
          {opened.shared ? "Everybody it is shared with loses it. " : ""}The rows stay as they are.
        </ConfirmDialog>
      )}
    </>
  );
}
