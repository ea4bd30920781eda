import { ChevronLeft } from "lucide-react";
import type { Route } from "next";
import { AppLink } from "./app-link";

export function BackLink({ href, children }: { href: Route; children: string }) {
  return (
    <AppLink
      href={href}
      className="inline-flex w-fit items-center gap-0.5 text-muted-foreground text-xs hover:text-foreground"
    >
      <ChevronLeft aria-hidden className="size-3.5" />
      {children}
    </AppLink>
  );
}
