import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

type NewPasswordFieldProps = { name: string; label: string; hint?: string; error: string | undefined };

const RULE = "At least 12 characters. A few unrelated words make a good one.";

export function NewPasswordField({ name, label, hint = RULE, error }: NewPasswordFieldProps) {
  return (
    <Field id={name} label={label} hint={hint} error={error}>
      {(control) => <Input {...control} name={name} type="password" autoComplete="new-password" required />}
    </Field>
  );
}
