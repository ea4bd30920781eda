import { ariaDescribedByIds, type WidgetProps } from "@rjsf/utils";
import { Select } from "@/components/ui/select";

/** Options travel by position, so that numbers and booleans come back as what they are. */
export function SelectWidget(props: WidgetProps) {
  const { id, htmlName, options, value, schema, onChange } = props;
  const choices = options.enumOptions ?? [];
  const selected = choices.findIndex((choice) => choice.value === value);
  return (
    <Select
      id={id}
      name={htmlName || id}
      value={selected < 0 ? "" : String(selected)}
      required={props.required}
      disabled={props.disabled || props.readonly}
      aria-invalid={props.rawErrors?.length ? true : undefined}
      aria-describedby={ariaDescribedByIds(id)}
      onChange={(event) => {
        const choice = event.target.value === "" ? undefined : choices[Number(event.target.value)];
        onChange(choice ? choice.value : options.emptyValue);
      }}
    >
      {(schema.default === undefined || selected < 0) && <option value="">{props.placeholder || "Choose…"}</option>}
      {choices.map((choice, index) => (
        <option key={choice.label} value={index}>
          {choice.label}
        </option>
      ))}
    </Select>
  );
}
