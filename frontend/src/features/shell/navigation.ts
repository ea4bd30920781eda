import {
  Blocks,
  BriefcaseBusiness,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Plug,
  ScrollText,
  Settings,
  ShieldCheck,
  Table2,
  Users,
  Waypoints,
} from "lucide-react";
import type { Route } from "next";

/** `permission` is what it takes to see anything there, of several any one; without it the entry is not shown. */
export type NavigationItem = { href: Route; title: string; icon: LucideIcon; permission: string | readonly string[] };
/** What a menu shows of an item. A plugin's may lead past this app, so only a page load surely gets there. */
export type NavigationEntry = Omit<NavigationItem, "permission"> & { isExternal?: boolean };
export type NavigationGroup = { title: string | null; items: readonly NavigationEntry[] };

export const NAVIGATION: readonly { title: string | null; items: readonly NavigationItem[] }[] = [
  {
    title: null,
    items: [
      { href: "/dashboard", title: "Dashboard", icon: LayoutDashboard, permission: "tables.read" },
      { href: "/connections", title: "Connections", icon: Plug, permission: "connections.read" },
      { href: "/jobs", title: "Jobs", icon: BriefcaseBusiness, permission: "jobs.read" },
      { href: "/tables", title: "Tables", icon: Table2, permission: "tables.read" },
    ],
  },
  {
    title: "Record",
    items: [
      {
        href: "/timeline",
        title: "Timeline",
        icon: Waypoints,
        permission: ["jobs.read", "audit.read", "connections.read"],
      },
      { href: "/audit", title: "Audit log", icon: ScrollText, permission: "audit.read" },
    ],
  },
  {
    title: "Administration",
    items: [
      { href: "/plugins", title: "Plugins", icon: Blocks, permission: "plugins.read" },
      { href: "/members", title: "Members", icon: Users, permission: "members.read" },
      { href: "/roles", title: "Roles", icon: ShieldCheck, permission: "members.read" },
      { href: "/api-keys", title: "API keys", icon: KeyRound, permission: "api_keys.own" },
      { href: "/settings", title: "Settings", icon: Settings, permission: "tenant.read" },
    ],
  },
];
