import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { ExplorerPage } from "@/features/tables/explorer-page";

export const metadata: Metadata = { title: "Table" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <ExplorerPage />
    </Suspense>
  );
}
