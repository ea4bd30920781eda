"use client";

import { useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { JobLogLine } from "./job-log-line";
import type { LogLine, StreamPhase } from "./job-stream";

const PHASES: Record<StreamPhase, string> = {
  connecting: "Connecting…",
  live: "Live",
  retrying: "Reconnecting…",
  lost: "Live updates stopped",
  ended: "Ended",
};

const NEAR_END_PX = 40;

type JobLogProps = { lines: readonly LogLine[]; phase: StreamPhase; onReconnect: () => void };

export function JobLog({ lines, phase, onReconnect }: JobLogProps) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what makes the box scroll
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);

  return (
    <Card>
      <div className="flex items-center justify-between gap-3 border-b px-4 py-2.5">
        <h2 className="font-medium">Log</h2>
        <p role="status" className="flex items-center gap-3 text-muted-foreground text-xs">
          {PHASES[phase]}
          {phase === "lost" && (
            <Button size="sm" onClick={onReconnect}>
              Reconnect
            </Button>
          )}
        </p>
      </div>
      <div
        ref={box}
        role="log"
        aria-label="Job log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        onScroll={({ currentTarget: el }) => {
          // Who scrolled up to read must not be pulled down by the next line.
          follows.current = el.scrollHeight - el.scrollTop - el.clientHeight < NEAR_END_PX;
        }}
        className="h-72 overflow-y-auto px-4 py-2.5 font-mono text-xs leading-5"
      >
        {lines.length === 0 ? (
          <p className="text-muted-foreground">{phase === "ended" ? "This job wrote no log." : "No lines yet."}</p>
        ) : (
          lines.map((line) => <JobLogLine key={line.seq} line={line} />)
        )}
      </div>
    </Card>
  );
}
