"use client";

import { useQuery } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { endedTitle } from "@/features/settings/plan-words";
import { planQueries } from "@/features/settings/queries";
import { useMay } from "./use-may";

/** On every page once the plan is over, so that nobody finds out only by a refused change. */
export function PlanBanner() {
  const { data: plan } = useQuery({ ...planQueries.plan(), enabled: useMay("tenant.read") });
  if (!plan?.has_ended) return null;
  return (
    <section
      aria-label="Plan notice"
      className="flex shrink-0 items-center gap-2.5 border-b bg-warning-soft px-4 py-2 text-sm md:px-6"
    >
      <TriangleAlert aria-hidden className="size-4 shrink-0 text-warning" />
      <p className="font-medium">{endedTitle(plan)}</p>
    </section>
  );
}
