"use client";

import { useId } from "react";

export type Target = "beginning" | "instant";

type ResetTargetProps = { value: Target; onChange: (value: Target) => void; canChooseInstant: boolean };

const TITLES: Record<Target, string> = { beginning: "From the beginning", instant: "From an instant" };

export function ResetTarget({ value, onChange, canChooseInstant }: ResetTargetProps) {
  const name = useId();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-2 font-medium">Read this stream</legend>
      {(["beginning", "instant"] as const).map((target) => (
        <label key={target} htmlFor={`${name}-${target}`} className="flex w-fit items-center gap-2">
          <input
            id={`${name}-${target}`}
            type="radio"
            name={name}
            className="size-4 accent-primary"
            checked={value === target}
            disabled={target === "instant" && !canChooseInstant}
            onChange={() => onChange(target)}
          />
          {TITLES[target]}
        </label>
      ))}
      {!canChooseInstant && (
        <p className="text-muted-foreground text-xs">
          This stream is read record by record of another one, so it knows no instants.
        </p>
      )}
    </fieldset>
  );
}
