"use client";

import { useRouter } from "next/navigation";
import { useEffect } from "react";
import { Spinner } from "@/components/ui/spinner";
import { client } from "@/lib/api/client";
import { HOME } from "@/lib/safe-next";

export function HomeRedirect() {
  const router = useRouter();
  useEffect(() => {
    client.GET("/api/v1/auth/me").then(
      () => router.replace(HOME),
      () => router.replace("/login"),
    );
  }, [router]);
  return (
    <main className="grid min-h-dvh place-content-center">
      <h1 className="sr-only">Counterfoil</h1>
      <p role="status" className="flex items-center gap-2 text-muted-foreground">
        <Spinner />
        Opening Counterfoil…
      </p>
    </main>
  );
}
