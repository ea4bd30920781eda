import type { ReactNode } from "react";
import { AppShell } from "@/features/shell/app-shell";
import { AuthGate } from "@/features/shell/auth-gate";
import { Providers } from "@/features/shell/providers";

export default function AppLayout({ children }: { children: ReactNode }) {
  return (
    <Providers>
      <AuthGate>
        <AppShell>{children}</AppShell>
      </AuthGate>
    </Providers>
  );
}
