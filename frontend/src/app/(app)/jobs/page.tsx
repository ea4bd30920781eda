import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { JobsPage } from "@/features/jobs/jobs-page";

export const metadata: Metadata = { title: "Jobs" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <JobsPage />
    </Suspense>
  );
}
