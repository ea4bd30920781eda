"use client";

import { useRouter } from "next/navigation";
import { type SubmitEvent, useState } from "react";
import { type ApiError, splitFieldErrors, toApiError } from "@/lib/api/problem";
import { safeNext } from "@/lib/safe-next";

const NOTHING_WRONG = { byField: {}, rest: [] };

/**
 * Sends a form of these pages and keeps its problem. What follows is `onSent`; without it, the page `?next=` points to
 * (on this origin only).
 */
export function useSubmit<F extends string, R>(
  fields: readonly F[],
  send: (data: Record<F, string>) => Promise<R>,
  onSent?: (answer: R) => void,
) {
  const router = useRouter();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);

  async function submit(event: SubmitEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const data = Object.fromEntries(fields.map((name) => [name, String(form.get(name) ?? "")])) as Record<F, string>;
    setBusy(true);
    setProblem(null);
    try {
      const answer = await send(data);
      if (onSent) onSent(answer);
      else router.replace(safeNext(new URLSearchParams(location.search).get("next"), location.origin));
    } catch (error) {
      setProblem(toApiError(error));
      setBusy(false);
    }
  }

  const errors: ReturnType<typeof splitFieldErrors<F>> = problem ? splitFieldErrors(problem, fields) : NOTHING_WRONG;
  return { busy, problem, errors, submit };
}
