import type { ComponentProps } from "react";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

type TextFilterProps = Pick<ComponentProps<"input">, "type" | "placeholder" | "list"> & {
  id: string;
  label: string;
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
};

export function TextFilter({ id, label, value, error, onChange, ...input }: TextFilterProps) {
  return (
    <Field id={id} label={label} error={error}>
      {(control) => (
        <Input
          {...control}
          {...input}
          value={value}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
