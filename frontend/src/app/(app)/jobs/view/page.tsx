import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { JobPage } from "@/features/jobs/job-page";

export const metadata: Metadata = { title: "Job" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <JobPage />
    </Suspense>
  );
}
