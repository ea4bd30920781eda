"use client";

import { Ban, CircleAlert, RotateCw, SearchX } from "lucide-react";
import type { ReactNode } from "react";
import { type ApiError, toApiError } from "@/lib/api/problem";
import { Button } from "./button";
import { CopyButton } from "./copy-button";

type ErrorStateProps = { error: unknown; onRetry?: () => void; action?: ReactNode };

const BY_PLAN: readonly string[] = ["entitlement_required", "quota_exceeded"];

function headline(problem: ApiError): { icon: typeof Ban; title: string } {
  if (problem.isDenied) {
    const byPlan = BY_PLAN.includes(problem.code);
    return { icon: Ban, title: byPlan ? problem.title : "You may not see this" };
  }
  if (problem.isMissing) return { icon: SearchX, title: "This does not exist, or no longer" };
  return { icon: CircleAlert, title: problem.title };
}

/** Cause, correlation id and a way on, for every view: failed, denied and missing look alike and say which they are. */
export function ErrorState({ error, onRetry, action }: ErrorStateProps) {
  const problem = toApiError(error);
  const { icon: Icon, title } = headline(problem);
  const canRetry = onRetry && !problem.isDenied && !problem.isMissing;
  return (
    <div
      role="alert"
      className="grid justify-items-center gap-2 rounded-lg border border-dashed px-6 py-12 text-center"
    >
      <Icon aria-hidden className="size-6 text-danger" />
      <p className="font-medium">{title}</p>
      {problem.message !== title && <p className="max-w-lg text-muted-foreground">{problem.message}</p>}
      <p className="flex flex-wrap items-center justify-center gap-x-2 font-mono text-muted-foreground text-xs">
        <span>{problem.code}</span>
        {problem.correlationId && (
          <span className="flex items-center gap-1">
            {problem.correlationId}
            <CopyButton value={problem.correlationId} label="Copy correlation id" />
          </span>
        )}
      </p>
      {(canRetry || action) && (
        <div className="mt-2 flex gap-2">
          {canRetry && (
            <Button size="sm" onClick={onRetry}>
              <RotateCw aria-hidden />
              Try again
            </Button>
          )}
          {action}
        </div>
      )}
    </div>
  );
}
