"use client";

import { CircleUser, LogOut, UserRoundCog } from "lucide-react";
import { AppLink } from "@/components/ui/app-link";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuLabel, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { useLogout } from "./use-logout";
import { useMe } from "./use-me";

export function UserMenu() {
  const { user, roles } = useMe();
  const logout = useLogout();
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="User menu">
          <CircleUser aria-hidden />
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuLabel>
          <span className="block font-medium text-foreground text-sm">{user.name}</span>
          <span className="block">{user.email}</span>
          <span className="block">{roles.join(", ")}</span>
        </MenuLabel>
        <MenuSeparator />
        <MenuItem asChild>
          <AppLink href="/account">
            <UserRoundCog aria-hidden />
            Account
          </AppLink>
        </MenuItem>
        <MenuItem onSelect={logout}>
          <LogOut aria-hidden />
          Log out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
