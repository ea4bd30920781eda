import type { DescriptionFieldProps } from "@rjsf/utils";

export function DescriptionTemplate({ id, description }: DescriptionFieldProps) {
  if (!description) return null;
  return (
    <p id={id} className="text-muted-foreground text-xs">
      {description}
    </p>
  );
}
