import { Command } from "cmdk";
import type { LucideIcon } from "lucide-react";

type PaletteItemProps = { id: string; icon: LucideIcon; onSelect: () => void; children: string };

export function PaletteItem({ id, icon: Icon, onSelect, children }: PaletteItemProps) {
  return (
    <Command.Item
      value={id}
      keywords={[children]}
      onSelect={onSelect}
      className="flex h-9 cursor-default items-center gap-2.5 rounded px-2.5 data-[selected=true]:bg-accent"
    >
      <Icon aria-hidden className="size-4 text-muted-foreground" />
      {children}
    </Command.Item>
  );
}
