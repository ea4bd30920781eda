"use client";

import { PageHeader } from "@/components/ui/page-header";
import { CompanySection } from "./company-section";
import { PlanSection } from "./plan-section";
import { UsageSection } from "./usage-section";

export function SettingsPage() {
  return (
    <div className="grid gap-8">
      <PageHeader title="Settings" description="The company, its plan, and what is used of it." />
      <CompanySection />
      <PlanSection />
      <UsageSection />
    </div>
  );
}
