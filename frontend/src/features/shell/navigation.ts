import { BriefcaseBusiness, type LucideIcon, Plug, Table2 } from "lucide-react";
import type { Route } from "next";

export type NavigationItem = { href: Route; title: string; icon: LucideIcon };

export const NAVIGATION: readonly NavigationItem[] = [
  { href: "/connections", title: "Connections", icon: Plug },
  { href: "/jobs", title: "Jobs", icon: BriefcaseBusiness },
  { href: "/tables", title: "Tables", icon: Table2 },
];
