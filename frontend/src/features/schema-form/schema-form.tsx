"use client";

import { withTheme } from "@rjsf/core";
import type { ErrorSchema, RJSFSchema } from "@rjsf/utils";
import { type ReactNode, useMemo } from "react";
import { BaseInput } from "./base-input";
import { CheckboxWidget } from "./checkbox-widget";
import { DescriptionTemplate } from "./description-template";
import { ErrorTemplate } from "./error-template";
import { FieldTemplate } from "./field-template";
import { HelpTemplate } from "./help-template";
import { ObjectTemplate } from "./object-template";
import { uiSchemaOf } from "./schema";
import { SelectWidget } from "./select-widget";
import { TextareaWidget } from "./textarea-widget";
import { createValidator } from "./validator";

export type FormData = Record<string, unknown>;

const Form = withTheme<FormData>({
  templates: {
    BaseInputTemplate: BaseInput,
    DescriptionFieldTemplate: DescriptionTemplate,
    FieldErrorTemplate: ErrorTemplate,
    FieldHelpTemplate: HelpTemplate,
    FieldTemplate,
    ObjectFieldTemplate: ObjectTemplate,
  },
  widgets: { CheckboxWidget, SelectWidget, TextareaWidget },
});

const validator = createValidator<FormData>();

type SchemaFormProps = {
  id: string;
  label: string;
  schema: RJSFSchema;
  data: FormData;
  onChange: (data: FormData) => void;
  onSubmit: (data: FormData) => void;
  extraErrors?: ErrorSchema<FormData> | undefined;
  disabled?: boolean;
  children?: ReactNode;
};

/** A form from a JSON Schema. The submit button lives outside and points here by `form={id}`. */
export function SchemaForm({
  id,
  label,
  schema,
  data,
  onChange,
  onSubmit,
  extraErrors,
  disabled,
  children,
}: SchemaFormProps) {
  const uiSchema = useMemo(() => ({ ...uiSchemaOf(schema), "ui:submitButtonOptions": { norender: true } }), [schema]);
  return (
    <Form
      id={id}
      aria-label={label}
      schema={schema}
      uiSchema={uiSchema}
      formData={data}
      validator={validator}
      onChange={(event) => onChange(event.formData ?? {})}
      onSubmit={(event) => onSubmit(event.formData ?? {})}
      // The errors stand beside their fields; without a handler the library also writes them to the console.
      onError={() => undefined}
      {...(extraErrors && { extraErrors })}
      disabled={disabled ?? false}
      noHtml5Validate
      showErrorList={false}
      focusOnFirstError
      className="grid gap-4"
    >
      {children ?? <span />}
    </Form>
  );
}
