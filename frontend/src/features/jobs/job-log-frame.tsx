import type { ReactNode } from "react";
import { Card } from "@/components/ui/card";

/** The card both logs share: the one that is being written, and the one that is kept. */
export function JobLogFrame({ beside, children }: { beside: ReactNode; children: ReactNode }) {
  return (
    <Card>
      <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-2 border-b px-4 py-2.5">
        <h2 className="font-medium">Log</h2>
        {beside}
      </div>
      {children}
    </Card>
  );
}
