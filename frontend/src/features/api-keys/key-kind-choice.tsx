"use client";

import { useId } from "react";
import { useMay } from "@/features/shell/use-may";
import type { ApiKey } from "@/lib/api/models";

const KINDS: readonly { kind: ApiKey["kind"]; title: string; hint: string }[] = [
  { kind: "personal", title: "Personal", hint: "Acts as you, and ends with your membership." },
  { kind: "service", title: "Service", hint: "Acts with roles of its own, and stays when you leave." },
];

type KeyKindChoiceProps = { kind: ApiKey["kind"]; onChange: (kind: ApiKey["kind"]) => void };

export function KeyKindChoice({ kind, onChange }: KeyKindChoiceProps) {
  const id = useId();
  const mayMakeService = useMay("api_keys.manage");
  // One choice is none.
  if (!mayMakeService) return null;
  return (
    <fieldset className="grid gap-2.5">
      <legend className="mb-2 font-medium text-sm">Kind</legend>
      {KINDS.map((one) => (
        <div key={one.kind} className="flex items-start gap-2.5">
          <input
            type="radio"
            id={`${id}-${one.kind}`}
            name={id}
            className="mt-0.5 size-4 shrink-0 accent-primary"
            checked={kind === one.kind}
            onChange={() => onChange(one.kind)}
            aria-describedby={`${id}-${one.kind}-hint`}
          />
          <div>
            <label htmlFor={`${id}-${one.kind}`} className="font-medium">
              {one.title}
            </label>
            <p id={`${id}-${one.kind}-hint`} className="text-muted-foreground text-xs">
              {one.hint}
            </p>
          </div>
        </div>
      ))}
    </fieldset>
  );
}
