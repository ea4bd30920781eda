import { ariaDescribedByIds, getInputProps, type WidgetProps } from "@rjsf/utils";
import type { ChangeEvent } from "react";
import { Input } from "@/components/ui/input";

export function BaseInput(props: WidgetProps) {
  const { id, htmlName, value, onChange, onChangeOverride, onBlur, onFocus, options, schema, type } = props;
  const change = (event: ChangeEvent<HTMLInputElement>) =>
    onChange(event.target.value === "" ? options.emptyValue : event.target.value);
  return (
    <Input
      id={id}
      name={htmlName || id}
      value={value ?? ""}
      required={props.required}
      readOnly={props.readonly}
      disabled={props.disabled}
      placeholder={props.placeholder}
      aria-invalid={props.rawErrors?.length ? true : undefined}
      aria-describedby={ariaDescribedByIds(id)}
      {...getInputProps(schema, type, options)}
      onChange={onChangeOverride ?? change}
      onBlur={(event) => onBlur(id, event.target.value)}
      onFocus={(event) => onFocus(id, event.target.value)}
    />
  );
}
