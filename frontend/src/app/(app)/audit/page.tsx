import type { Metadata } from "next";
import { Suspense } from "react";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { AuditPage } from "@/features/audit/audit-page";

export const metadata: Metadata = { title: "Audit log" };

export default function Page() {
  return (
    <Suspense fallback={<PageSkeleton />}>
      <AuditPage />
    </Suspense>
  );
}
