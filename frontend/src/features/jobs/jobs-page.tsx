"use client";

import { parseAsStringLiteral, useQueryState } from "nuqs";
import { Label } from "@/components/ui/label";
import { PageHeader } from "@/components/ui/page-header";
import { Select } from "@/components/ui/select";
import { JOB_STATUS, JOB_STATUSES } from "./job-status";
import { JobsList } from "./jobs-list";

export function JobsPage() {
  const [status, setStatus] = useQueryState("status", parseAsStringLiteral(JOB_STATUSES));
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Jobs"
        description="Everything that runs in the background, newest first. The list keeps itself up to date."
        actions={
          <div className="flex items-center gap-2">
            <Label htmlFor="job-status">Status</Label>
            <Select
              id="job-status"
              className="w-36"
              value={status ?? ""}
              onChange={(event) => setStatus(JOB_STATUSES.find((one) => one === event.target.value) ?? null)}
            >
              <option value="">Any</option>
              {JOB_STATUSES.map((one) => (
                <option key={one} value={one}>
                  {JOB_STATUS[one].title}
                </option>
              ))}
            </Select>
          </div>
        }
      />
      <JobsList status={status} />
    </div>
  );
}
