import type { ReactNode } from "react";
import { MobileMenu } from "./mobile-menu";
import { PaletteButton } from "./palette-button";
import { PlanBanner } from "./plan-banner";
import { Sidebar } from "./sidebar";
import { ThemeMenu } from "./theme-menu";
import { UserMenu } from "./user-menu";

export function AppShell({ children }: { children: ReactNode }) {
  return (
    <div className="flex h-dvh">
      <a
        href="#main"
        className="sr-only z-50 rounded-md bg-primary px-3 py-2 text-primary-foreground focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <Sidebar />
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-12 shrink-0 items-center gap-2 border-b bg-card px-3 md:px-6">
          <MobileMenu />
          <PaletteButton />
          <div className="flex-1" />
          <ThemeMenu />
          <UserMenu />
        </header>
        <PlanBanner />
        <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-y-auto px-4 py-5 outline-none md:px-6">
          {children}
        </main>
      </div>
    </div>
  );
}
