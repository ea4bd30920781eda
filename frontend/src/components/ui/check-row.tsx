"use client";

import { type ReactNode, useId } from "react";
import { Checkbox } from "./checkbox";

type CheckRowProps = {
  checked: boolean;
  onChange: (isChecked: boolean) => void;
  label: string;
  hint?: ReactNode;
  disabled?: boolean;
};

/** A checkbox with a line of explanation, which is read out as its description and not as part of its name. */
export function CheckRow({ checked, onChange, label, hint, disabled = false }: CheckRowProps) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <Checkbox
        id={id}
        className="mt-0.5"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
        aria-describedby={hint ? `${id}-hint` : undefined}
      />
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint && (
          <p id={`${id}-hint`} className="text-muted-foreground text-xs">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
