import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { RecordsPage } from "@/features/raw-records/records-page";

export const metadata: Metadata = { title: "Vendor records" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <RecordsPage />
    </Suspense>
  );
}
