"use client";

import { RotateCw } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { ApiCallDrawer } from "./api-call-drawer";
import { ApiCallFilter } from "./api-call-filter";
import { ApiCallResults } from "./api-call-results";
import { useApiCallState } from "./use-api-call-state";
import { useApiCalls } from "./use-api-calls";

export function ApiCallList({ connectionId }: { connectionId: string }) {
  const [state, setState] = useApiCallState();
  const calls = useApiCalls(connectionId, state);
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-3">
        <ApiCallFilter
          status={state.status}
          job={state.job}
          onStatus={(status) => setState({ status })}
          onAnyJob={() => setState({ job: null })}
        />
        <Button size="sm" className="ml-auto" disabled={calls.isFetching} onClick={() => calls.refetch()}>
          {calls.isFetching ? <Spinner /> : <RotateCw aria-hidden />}
          Refresh
        </Button>
      </div>
      <ApiCallResults
        calls={calls}
        isFiltered={state.status !== null || state.job !== null}
        onOpen={(call) => setState({ call })}
      />
      {state.call && (
        <ApiCallDrawer connectionId={connectionId} id={state.call} onClose={() => setState({ call: null })} />
      )}
    </div>
  );
}
