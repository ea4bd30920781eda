import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { ConnectionsPage } from "@/features/connections/connections-page";

export const metadata: Metadata = { title: "Connections" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <ConnectionsPage />
    </Suspense>
  );
}
