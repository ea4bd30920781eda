import type { RJSFSchema, UiSchema } from "@rjsf/utils";

const isSchema = (value: unknown): value is RJSFSchema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNull = (schema: unknown) => isSchema(schema) && schema.type === "null";

/**
 * Servers write an optional field as `anyOf: [X, null]`, which a form would show as a choice between two options.
 * In a form "nothing" is an empty field, so X alone remains.
 */
function withoutNull(schema: RJSFSchema): RJSFSchema {
  const options = schema.anyOf?.filter((option) => !isNull(option));
  const [only] = options ?? [];
  if (options?.length !== 1 || options.length === schema.anyOf?.length || !isSchema(only)) return schema;
  const { anyOf: _, default: preset, ...rest } = schema;
  return { ...only, ...rest, ...(preset !== null && preset !== undefined && { default: preset }) };
}

export function normalizeSchema(schema: RJSFSchema): RJSFSchema {
  const plain = withoutNull(schema);
  const mapped: RJSFSchema = { ...plain };
  for (const key of ["properties", "$defs"] as const) {
    const group = plain[key];
    if (!group) continue;
    mapped[key] = Object.fromEntries(
      Object.entries(group).map(([name, child]) => [name, isSchema(child) ? normalizeSchema(child) : child]),
    );
  }
  if (isSchema(plain.items)) mapped.items = normalizeSchema(plain.items);
  return mapped;
}

const isSecret = (schema: RJSFSchema) =>
  schema.format === "password" || schema.writeOnly === true || schema["x-secret"] === true;

/** Presentation follows from the schema alone: a connector ships no form code. */
export function uiSchemaOf(schema: RJSFSchema): UiSchema {
  const ui: UiSchema = {};
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (isSchema(child)) ui[name] = uiSchemaOf(child);
  }
  if (isSecret(schema)) {
    ui["ui:widget"] = "password";
    ui["ui:options"] = { autocomplete: "new-password" };
  }
  return ui;
}

export const hasFields = (schema: RJSFSchema) =>
  Object.keys(schema.properties ?? {}).length > 0 || Boolean(schema.oneOf ?? schema.anyOf ?? schema.$ref);

/** One form out of several schemas. `$ref`s point at the root, so definitions move there. */
export function combineSchemas(sections: Record<string, RJSFSchema>, titles: Record<string, string>): RJSFSchema {
  const shown = Object.entries(sections).filter(([, schema]) => hasFields(schema));
  const normalized = shown.map(([name, schema]) => [name, normalizeSchema(schema)] as const);
  return {
    type: "object",
    $defs: Object.assign({}, ...normalized.map(([, schema]) => schema.$defs ?? {})),
    required: shown.map(([name]) => name),
    properties: Object.fromEntries(
      normalized.map(([name, { $defs: _, ...schema }]) => [name, { ...schema, title: titles[name] ?? name }]),
    ),
  };
}
