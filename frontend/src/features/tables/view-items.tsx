import { MenuLabel, MenuRadioGroup, MenuRadioItem } from "@/components/ui/menu";
import type { SavedView } from "@/lib/api/models";

type ViewItemsProps = { views: readonly SavedView[]; openedId: string; onOpen: (view: SavedView) => void };

const standing = ({ mine, shared }: SavedView) => (mine ? (shared ? "Shared by you" : null) : "Shared with you");

export function ViewItems({ views, openedId, onOpen }: ViewItemsProps) {
  if (views.length === 0) return <MenuLabel>No saved views of this table yet</MenuLabel>;
  return (
    <MenuRadioGroup
      value={openedId}
      onValueChange={(id) => {
        const view = views.find((one) => one.id === id);
        if (view) onOpen(view);
      }}
    >
      {views.map((view) => (
        <MenuRadioItem key={view.id} value={view.id}>
          <span className="min-w-0 max-w-64 truncate">{view.name}</span>
          {standing(view) && <span className="ml-auto pl-3 text-muted-foreground text-xs">{standing(view)}</span>}
        </MenuRadioItem>
      ))}
    </MenuRadioGroup>
  );
}
