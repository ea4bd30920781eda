import { ariaDescribedByIds, descriptionId, type WidgetProps } from "@rjsf/utils";
import { Checkbox } from "@/components/ui/checkbox";

export function CheckboxWidget({
  id,
  htmlName,
  value,
  label,
  schema,
  options,
  disabled,
  readonly,
  onChange,
}: WidgetProps) {
  const description = options.description ?? schema.description;
  return (
    <div className="grid gap-1">
      <label htmlFor={id} className="flex w-fit items-center gap-2 font-medium">
        <Checkbox
          id={id}
          name={htmlName || id}
          checked={value === true}
          disabled={disabled || readonly}
          aria-describedby={ariaDescribedByIds(id)}
          onChange={(event) => onChange(event.target.checked)}
        />
        {label}
      </label>
      {description && (
        <p id={descriptionId(id)} className="text-muted-foreground text-xs">
          {description}
        </p>
      )}
    </div>
  );
}
