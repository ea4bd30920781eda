import type { ReactNode } from "react";
import { Brand } from "@/features/shell/brand";

export function AuthCard({ title, children, footer }: { title: string; children: ReactNode; footer: ReactNode }) {
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="grid w-full max-w-sm gap-6">
        <Brand />
        <div className="grid gap-5 rounded-lg border bg-card p-6">
          <h1 className="font-semibold text-lg tracking-tight">{title}</h1>
          {children}
        </div>
        {footer && <p className="text-center text-muted-foreground">{footer}</p>}
      </div>
    </main>
  );
}
