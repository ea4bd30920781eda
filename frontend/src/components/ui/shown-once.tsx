"use client";

import { useId } from "react";
import { CopyButton } from "./copy-button";
import { Input } from "./input";
import { Label } from "./label";

/** A secret that no later answer repeats: selected whole on focus, so that it can be taken without the clipboard too. */
export function ShownOnce({ label, value }: { label: string; value: string }) {
  const id = useId();
  return (
    <div className="grid gap-1.5">
      <Label htmlFor={id}>{label}</Label>
      <div className="flex items-center gap-2">
        <Input
          id={id}
          readOnly
          value={value}
          onFocus={(event) => event.currentTarget.select()}
          className="font-mono text-xs!"
        />
        <CopyButton value={value} label={`Copy ${label.toLowerCase()}`} className="size-9! border" />
      </div>
    </div>
  );
}
