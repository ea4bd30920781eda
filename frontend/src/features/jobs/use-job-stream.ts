"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useReducer, useState } from "react";
import { refreshSession } from "@/lib/api/client";
import type { Job } from "@/lib/api/models";
import { EMPTY_STREAM, newerJob, parseJob, parseLogLine, reduceJobStream } from "./job-stream";
import { jobQueries } from "./queries";

const MAX_REOPENINGS = 5;
const delayMs = (attempt: number) => Math.min(1000 * 2 ** attempt, 15_000);

/** Follows a job: the job itself goes into the query cache, its log lines and the state of the line come back. */
export function useJobStream(id: string) {
  const queryClient = useQueryClient();
  const [stream, dispatch] = useReducer(reduceJobStream, EMPTY_STREAM);
  const [round, setRound] = useState(0);

  const reconnect = useCallback(() => {
    dispatch({ type: "restarted" });
    setRound((current) => current + 1);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new round is what makes a lost line open again
  useEffect(() => {
    const key = jobQueries.detail(id).queryKey;
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempt = 0;
    let isOver = false;

    const stop = () => {
      isOver = true;
      source?.close();
      clearTimeout(timer);
    };

    const onJob = (event: MessageEvent<string>) => {
      const job = parseJob(event.data);
      if (job) queryClient.setQueryData<Job>(key, (current) => newerJob(current, job));
    };
    const onLog = (event: MessageEvent<string>) => {
      const line = parseLogLine(event.data);
      if (line) dispatch({ type: "log", line });
    };
    const onEnd = () => {
      stop();
      dispatch({ type: "ended" });
      queryClient.invalidateQueries({ queryKey: key });
      queryClient.invalidateQueries({ queryKey: jobQueries.lists() });
    };
    const onError = () => {
      dispatch({ type: "interrupted" });
      // The browser reconnects by itself after a dropped line, but gives up on an HTTP error such as an expired session.
      if (source?.readyState !== EventSource.CLOSED) return;
      if (attempt >= MAX_REOPENINGS) {
        stop();
        dispatch({ type: "lost" });
        return;
      }
      timer = setTimeout(() => refreshSession().finally(open), delayMs(attempt));
      attempt += 1;
    };

    function open() {
      if (isOver) return;
      source = new EventSource(`/api/v1/jobs/${encodeURIComponent(id)}/events`);
      source.addEventListener("open", () => {
        attempt = 0;
        dispatch({ type: "opened" });
      });
      source.addEventListener("job", onJob);
      source.addEventListener("log", onLog);
      source.addEventListener("end", onEnd);
      source.addEventListener("error", onError);
    }

    open();
    return stop;
  }, [id, round, queryClient]);

  return { ...stream, reconnect };
}
