"use client";

import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { LogOut, Moon, Plug, Sun, Table2, UserRoundCog } from "lucide-react";
import type { Route } from "next";
import { useRouter } from "next/navigation";
import { useTheme } from "next-themes";
import { Dialog as Primitive } from "radix-ui";
import { connectionQueries } from "@/features/connections/queries";
import { tableQueries } from "@/features/tables/queries";
import { PaletteGroup } from "./palette-group";
import { PaletteItem } from "./palette-item";
import { useLogout } from "./use-logout";
import { useNavigation } from "./use-navigation";

type PaletteProps = { open: boolean; onOpenChange: (open: boolean) => void };

export function Palette({ open, onOpenChange }: PaletteProps) {
  const router = useRouter();
  const { setTheme } = useTheme();
  const logout = useLogout();
  const pages = useNavigation().flatMap((group) => group.items);
  const tables = useQuery({ ...tableQueries.list(), enabled: open });
  const connections = useQuery({ ...connectionQueries.list(), enabled: open });

  const run = (action: () => void) => () => {
    onOpenChange(false);
    action();
  };
  const go = (href: Route) => run(() => router.push(href));

  return (
    <Primitive.Root open={open} onOpenChange={onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Primitive.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-50 w-[calc(100%-2rem)] max-w-lg -translate-x-1/2 overflow-hidden rounded-lg border bg-popover shadow-lg"
        >
          <Primitive.Title className="sr-only">Go to</Primitive.Title>
          <Command label="Go to" loop>
            <Command.Input
              placeholder="Type a page, table, connection or command"
              className="h-11 w-full border-b bg-transparent px-4 outline-none placeholder:text-muted-foreground"
            />
            <Command.List label="Results" className="max-h-80 overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-6 text-center text-muted-foreground">Nothing matches.</Command.Empty>
              <PaletteGroup heading="Pages">
                {pages.map(({ href, title, icon, isExternal }) => (
                  <PaletteItem
                    key={`${href} ${title}`}
                    id={`${href} ${title}`}
                    icon={icon}
                    onSelect={isExternal ? run(() => location.assign(href)) : go(href)}
                  >
                    {title}
                  </PaletteItem>
                ))}
              </PaletteGroup>
              <PaletteGroup heading="Tables">
                {(tables.data?.items ?? []).map((table) => (
                  <PaletteItem
                    key={table.name}
                    id={`table ${table.name}`}
                    icon={Table2}
                    onSelect={go(`/tables/view?t=${table.name}`)}
                  >
                    {table.title}
                  </PaletteItem>
                ))}
              </PaletteGroup>
              <PaletteGroup heading="Connections">
                {(connections.data?.items ?? []).map((connection) => (
                  <PaletteItem
                    key={connection.id}
                    id={`connection ${connection.id}`}
                    icon={Plug}
                    onSelect={go(`/connections/view?id=${connection.id}`)}
                  >
                    {connection.label}
                  </PaletteItem>
                ))}
              </PaletteGroup>
              <PaletteGroup heading="Commands">
                <PaletteItem id="theme light" icon={Sun} onSelect={run(() => setTheme("light"))}>
                  Use the light theme
                </PaletteItem>
                <PaletteItem id="theme dark" icon={Moon} onSelect={run(() => setTheme("dark"))}>
                  Use the dark theme
                </PaletteItem>
                <PaletteItem id="account" icon={UserRoundCog} onSelect={go("/account")}>
                  Open your account
                </PaletteItem>
                <PaletteItem id="log out" icon={LogOut} onSelect={run(logout)}>
                  Log out
                </PaletteItem>
              </PaletteGroup>
            </Command.List>
          </Command>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
