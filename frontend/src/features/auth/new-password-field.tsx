import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";

type NewPasswordFieldProps = { name: string; label: string; hint?: string; error: string | undefined };

// The API's own limit; a browser says it in plainer words than a validation error, and before anything is sent.
const MIN_LENGTH = 12;
const RULE = `At least ${MIN_LENGTH} characters. A few unrelated words make a good one.`;

export function NewPasswordField({ name, label, hint = RULE, error }: NewPasswordFieldProps) {
  return (
    <Field id={name} label={label} hint={hint} error={error}>
      {(control) => (
        <Input {...control} name={name} type="password" autoComplete="new-password" minLength={MIN_LENGTH} required />
      )}
    </Field>
  );
}
