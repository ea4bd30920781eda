import { ariaDescribedByIds, type WidgetProps } from "@rjsf/utils";
import { Textarea } from "@/components/ui/textarea";

export function TextareaWidget(props: WidgetProps) {
  const { id, htmlName, options, onChange } = props;
  return (
    <Textarea
      id={id}
      name={htmlName || id}
      value={props.value ?? ""}
      required={props.required}
      disabled={props.disabled || props.readonly}
      placeholder={props.placeholder}
      aria-invalid={props.rawErrors?.length ? true : undefined}
      aria-describedby={ariaDescribedByIds(id)}
      onChange={(event) => onChange(event.target.value === "" ? options.emptyValue : event.target.value)}
    />
  );
}
