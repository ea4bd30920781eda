"use client";

import { parseAsStringLiteral, useQueryState } from "nuqs";
import { Label } from "@/components/ui/label";
import { PageHeader } from "@/components/ui/page-header";
import { Select } from "@/components/ui/select";
import { useMay } from "@/features/shell/use-may";
import { MoneyPanels } from "./money-panels";
import { PERIOD_TITLES, PERIODS } from "./period";
import { SyncHealth } from "./sync-health";

export function DashboardPage() {
  const maySeeConnections = useMay("connections.read");
  const [period, setPeriod] = useQueryState("period", parseAsStringLiteral(PERIODS).withDefault("30d"));
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Dashboard"
        description="Whether the data is fresh, and what it adds up to. Every figure opens the rows it is made of."
        actions={
          <div className="flex items-center gap-2">
            <Label htmlFor="period">Period</Label>
            <Select
              id="period"
              className="w-40"
              value={period}
              onChange={(event) => setPeriod(PERIODS.find((one) => one === event.target.value) ?? null)}
            >
              {PERIODS.map((one) => (
                <option key={one} value={one}>
                  {PERIOD_TITLES[one]}
                </option>
              ))}
            </Select>
          </div>
        }
      />
      {maySeeConnections && (
        <section aria-labelledby="sync-health" className="grid min-w-0 gap-2">
          <h2 id="sync-health" className="font-medium">
            Sync health
          </h2>
          <SyncHealth />
        </section>
      )}
      <MoneyPanels period={period} />
    </div>
  );
}
