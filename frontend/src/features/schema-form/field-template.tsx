import type { FieldTemplateProps } from "@rjsf/utils";
import { Label } from "@/components/ui/label";

export function FieldTemplate(props: FieldTemplateProps) {
  const { id, label, hidden, displayLabel, required, description, errors, help, children, schema } = props;
  if (hidden) return <div className="hidden">{children}</div>;
  const isSection = schema.type === "object" || schema.type === "array";
  return (
    <div className="grid gap-1.5">
      {displayLabel && !isSection && (
        <Label htmlFor={id}>
          {label}
          {!required && <span className="font-normal text-muted-foreground"> (optional)</span>}
        </Label>
      )}
      {children}
      {displayLabel && !isSection && description}
      {help}
      {errors}
    </div>
  );
}
