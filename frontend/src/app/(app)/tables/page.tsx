import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { TablesPage } from "@/features/tables/tables-page";

export const metadata: Metadata = { title: "Tables" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <TablesPage />
    </Suspense>
  );
}
