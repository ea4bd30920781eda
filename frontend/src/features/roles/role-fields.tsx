import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Textarea } from "@/components/ui/textarea";

type RoleFieldsProps = {
  id: string;
  title?: string;
  description?: string;
  onTitle?: (title: string) => void;
  errors: { title?: string; description?: string };
};

export function RoleFields({ id, title, description, onTitle, errors }: RoleFieldsProps) {
  return (
    <>
      <Field id={`${id}-title`} label="Title" error={errors.title}>
        {(control) => (
          <Input
            {...control}
            name="title"
            defaultValue={title}
            onChange={(event) => onTitle?.(event.target.value)}
            maxLength={100}
            autoComplete="off"
            required
          />
        )}
      </Field>
      <Field id={`${id}-description`} label="Description (optional)" error={errors.description}>
        {(control) => <Textarea {...control} name="description" defaultValue={description} maxLength={1000} />}
      </Field>
    </>
  );
}
