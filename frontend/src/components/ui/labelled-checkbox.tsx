"use client";

import { type ChangeEvent, type ReactNode, useId } from "react";
import { Checkbox } from "./checkbox";

type LabelledCheckboxProps = { checked: boolean; onChange: (isChecked: boolean) => void; children: ReactNode };

export function LabelledCheckbox({ checked, onChange, children }: LabelledCheckboxProps) {
  const id = useId();
  return (
    <label htmlFor={id} className="flex w-fit items-center gap-2">
      <Checkbox
        id={id}
        checked={checked}
        onChange={(event: ChangeEvent<HTMLInputElement>) => onChange(event.target.checked)}
      />
      {children}
    </label>
  );
}
