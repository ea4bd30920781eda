import { type OutputUnit, type Schema, Validator } from "@cfworker/json-schema";
import {
  createErrorHandler,
  type FormContextType,
  type RJSFSchema,
  type RJSFValidationError,
  toErrorSchema,
  unwrapErrorHandler,
  type ValidatorType,
  validationDataMerge,
} from "@rjsf/utils";

/** Keywords that only repeat what an error further down says. */
const CONTAINERS = new Set(["properties", "items", "prefixItems", "$ref", "allOf", "additionalProperties"]);

function check(schema: RJSFSchema, data: unknown) {
  return new Validator(schema as Schema, "2020-12", false).validate(data ?? {});
}

function toFormError(unit: OutputUnit): RJSFValidationError {
  const path = unit.instanceLocation.replace(/^#\/?/, "").split("/").filter(Boolean);
  const missing = unit.keyword === "required" ? /"([^"]+)"/.exec(unit.error)?.[1] : undefined;
  const message = missing ? "This field is required." : unit.error;
  return {
    name: unit.keyword,
    message,
    property: `.${[...path, ...(missing ? [missing] : [])].join(".")}`,
    stack: message,
    schemaPath: unit.keywordLocation,
  };
}

/**
 * Interprets the schema. The usual validator compiles schemas with `new Function`, which our content security policy
 * forbids, and precompiling is impossible for schemas that arrive at run time.
 */
export function createValidator<T = Record<string, unknown>>(): ValidatorType<T, RJSFSchema, FormContextType> {
  return {
    isValid(schema, data, root) {
      try {
        return check({ ...schema, $defs: { ...root.$defs, ...schema.$defs } }, data).valid;
      } catch (error) {
        // The interface wants false, not an exception, for a schema that makes no sense (such as an unknown $ref).
        if (error instanceof Error) return false;
        throw error;
      }
    },
    rawValidation: (schema, data) => ({ errors: check(schema, data).errors as never[] }),
    validateFormData(data, schema, customValidate, transformErrors, uiSchema) {
      const found = check(schema, data)
        .errors.filter(({ keyword }) => !CONTAINERS.has(keyword))
        .map(toFormError);
      const errors = transformErrors ? transformErrors(found, uiSchema) : found;
      const result = { errors, errorSchema: toErrorSchema<T>(errors) };
      if (!customValidate) return result;
      const handler = customValidate(data, createErrorHandler<T>(data as T), uiSchema, result.errorSchema);
      return validationDataMerge<T>(result, unwrapErrorHandler<T>(handler));
    },
  };
}
