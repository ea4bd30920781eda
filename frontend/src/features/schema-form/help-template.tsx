import { type FieldHelpProps, helpId } from "@rjsf/utils";

export function HelpTemplate({ help, fieldPathId }: FieldHelpProps) {
  if (!help) return null;
  return (
    <div id={helpId(fieldPathId)} className="text-muted-foreground text-xs">
      {help}
    </div>
  );
}
