import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { ConnectionPage } from "@/features/connections/connection-page";

export const metadata: Metadata = { title: "Connection" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <ConnectionPage />
    </Suspense>
  );
}
