"use client";

import { X } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Label } from "@/components/ui/label";
import { Select } from "@/components/ui/select";
import { TextLink } from "@/components/ui/text-link";
import { CALL_STATUS, CALL_STATUSES, type CallStatus } from "./api-call-status";

type ApiCallFilterProps = {
  status: CallStatus | null;
  job: string | null;
  onStatus: (status: CallStatus | null) => void;
  onAnyJob: () => void;
};

export function ApiCallFilter({ status, job, onStatus, onAnyJob }: ApiCallFilterProps) {
  return (
    <>
      <div className="flex items-center gap-2">
        <Label htmlFor="call-status">Status</Label>
        <Select
          id="call-status"
          className="w-48"
          value={status ?? ""}
          onChange={(event) => onStatus(CALL_STATUSES.find((one) => one === event.target.value) ?? null)}
        >
          <option value="">Any</option>
          {CALL_STATUSES.map((one) => (
            <option key={one} value={one}>
              {CALL_STATUS[one]}
            </option>
          ))}
        </Select>
      </div>
      {job && (
        <p className="flex items-center gap-1.5 rounded-md border bg-card py-0.5 pr-1 pl-2.5 text-data">
          Only what <TextLink href={`/jobs/view?id=${job}`}>one job</TextLink> sent
          <Button variant="ghost" size="icon" aria-label="Show every job's requests" onClick={onAnyJob}>
            <X aria-hidden />
          </Button>
        </p>
      )}
    </>
  );
}
