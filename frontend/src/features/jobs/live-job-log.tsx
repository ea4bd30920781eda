"use client";

import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { Button } from "@/components/ui/button";
import { JobLogFrame } from "./job-log-frame";
import { JobLogLine } from "./job-log-line";
import { isFinal } from "./job-status";
import type { StreamPhase } from "./job-stream";
import { jobQueries } from "./queries";
import { useJobStream } from "./use-job-stream";

const PHASES: Record<StreamPhase, string> = {
  connecting: "Connecting…",
  live: "Live",
  retrying: "Reconnecting…",
  lost: "Live updates stopped",
  ended: "Ended",
};

const NEAR_END_PX = 40;
const POLL_MS = 3_000;

/** The log of a job as it is written; the line it comes over also keeps the job itself up to date. */
export function LiveJobLog({ jobId, onShowKept }: { jobId: string; onShowKept: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const { logs, phase, reconnect } = useJobStream(jobId);
  const isLost = phase === "lost";
  // With the live line lost, the page must still move: it asks instead of listening.
  useQuery({
    ...jobQueries.detail(jobId),
    enabled: isLost,
    refetchInterval: ({ state }) => (isLost && state.data && !isFinal(state.data.status) ? POLL_MS : false),
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new line is what makes the box scroll
  useEffect(() => {
    if (follows.current && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [logs]);

  return (
    <JobLogFrame
      beside={
        <div className="flex items-center gap-3 text-muted-foreground text-xs">
          <p role="status">{PHASES[phase]}</p>
          {isLost && (
            <Button size="sm" onClick={reconnect}>
              Reconnect
            </Button>
          )}
          {phase === "ended" && (
            <Button size="sm" onClick={onShowKept}>
              Show from the beginning
            </Button>
          )}
        </div>
      }
    >
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
        {logs.length === 0 ? (
          <p className="text-muted-foreground">{phase === "ended" ? "This job wrote no log." : "No lines yet."}</p>
        ) : (
          logs.map((line) => <JobLogLine key={line.seq} line={line} />)
        )}
      </div>
    </JobLogFrame>
  );
}
