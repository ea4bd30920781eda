"use client";

import { Columns3 } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Menu, MenuCheckboxItem, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import type { ColumnInfo } from "@/lib/api/models";
import type { Visibility } from "./column-visibility";

type ColumnsMenuProps = {
  columns: readonly ColumnInfo[];
  visibility: Visibility;
  toggle: (name: string) => void;
  reset: () => void;
};

export function ColumnsMenu({ columns, visibility, toggle, reset }: ColumnsMenuProps) {
  const shown = columns.filter(({ name }) => visibility[name] !== false);
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button size="sm">
          <Columns3 aria-hidden />
          Columns
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        {columns.map(({ name, title }) => {
          const isShown = visibility[name] !== false;
          return (
            <MenuCheckboxItem
              key={name}
              checked={isShown}
              // A grid without columns has nothing to bring them back with in sight.
              disabled={isShown && shown.length === 1}
              onSelect={(event) => event.preventDefault()}
              onCheckedChange={() => toggle(name)}
            >
              {title}
            </MenuCheckboxItem>
          );
        })}
        <MenuSeparator />
        <MenuItem onSelect={reset}>Reset columns</MenuItem>
      </MenuContent>
    </Menu>
  );
}
