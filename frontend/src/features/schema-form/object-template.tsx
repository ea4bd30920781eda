import type { ObjectFieldTemplateProps } from "@rjsf/utils";

export function ObjectTemplate({ fieldPathId, title, description, properties }: ObjectFieldTemplateProps) {
  const isRoot = fieldPathId.path.length === 0;
  const fields = (
    <div className="grid gap-4">
      {properties.map(({ name, content }) => (
        <div key={name}>{content}</div>
      ))}
    </div>
  );
  if (isRoot) return fields;
  return (
    <fieldset id={fieldPathId.$id} className="min-w-0">
      <legend className="mb-3 w-full border-b pb-1.5 font-medium text-muted-foreground text-xs">{title}</legend>
      {description && <p className="mb-3 text-muted-foreground text-xs">{description}</p>}
      {fields}
    </fieldset>
  );
}
