import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { TimelinePage } from "@/features/timeline/timeline-page";

export const metadata: Metadata = { title: "Timeline" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <TimelinePage />
    </Suspense>
  );
}
