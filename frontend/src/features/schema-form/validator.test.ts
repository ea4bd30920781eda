import type { RJSFSchema } from "@rjsf/utils";
import { describe, expect, test } from "vitest";
import { parseProblem } from "@/lib/api/problem";
import { toExtraErrors } from "./extra-errors";
import { combineSchemas, normalizeSchema, uiSchemaOf } from "./schema";
import { createValidator } from "./validator";

const CREDENTIALS: RJSFSchema = {
  type: "object",
  required: ["api_key"],
  properties: { api_key: { type: "string", format: "password", writeOnly: true, minLength: 8 } },
};
const SETTINGS: RJSFSchema = {
  type: "object",
  $defs: { Region: { type: "string", enum: ["us", "eu"] } },
  properties: {
    region: { $ref: "#/$defs/Region" },
    base_url: { anyOf: [{ type: "string", format: "uri" }, { type: "null" }], title: "Address", default: null },
  },
};
const FORM = combineSchemas({ credentials: CREDENTIALS, settings: SETTINGS }, { credentials: "Credentials" });
const messages = (data: Record<string, unknown>) =>
  createValidator()
    .validateFormData(data, FORM)
    .errors.map(({ property, message }) => [property, message]);

describe("the validator that needs no eval", () => {
  test("passes what the schema allows", () => {
    expect(messages({ credentials: { api_key: "12345678" }, settings: { region: "eu" } })).toEqual([]);
  });

  test("names the field that is missing, not the object around it", () => {
    expect(messages({ credentials: {}, settings: {} })).toEqual([[".credentials.api_key", "This field is required."]]);
  });

  test("follows a reference to the definitions of its section", () => {
    const found = messages({ credentials: { api_key: "12345678" }, settings: { region: "asia" } });
    expect(found.map(([property]) => property)).toEqual([".settings.region"]);
  });

  test("reports each error once and puts it under its field", () => {
    const { errors, errorSchema } = createValidator().validateFormData(
      { credentials: { api_key: "short" }, settings: {} },
      FORM,
    );
    expect(errors).toHaveLength(1);
    expect(errorSchema).toHaveProperty("credentials.api_key.__errors");
  });

  test("calls a schema with an unknown reference invalid instead of failing", () => {
    expect(createValidator().isValid({ $ref: "#/$defs/None" }, {}, {})).toBe(false);
  });

  test("tells the branches of a choice apart", () => {
    const branch: RJSFSchema = { type: "object", required: ["key"], properties: { kind: { const: "key" } } };
    const validator = createValidator();
    expect(validator.isValid(branch, { kind: "key", key: "x" }, {})).toBe(true);
    expect(validator.isValid(branch, { kind: "oauth" }, {})).toBe(false);
  });
});

describe("the form of a connector's schema", () => {
  test("shows an optional value as one field, without a choice of nothing", () => {
    const { properties } = normalizeSchema(SETTINGS);
    expect(properties?.base_url).toEqual({ type: "string", format: "uri", title: "Address" });
  });

  test("hides what is secret behind a password field", () => {
    expect(uiSchemaOf(CREDENTIALS)).toMatchObject({ api_key: { "ui:widget": "password" } });
  });

  test("leaves out a section that has no fields", () => {
    const form = combineSchemas({ credentials: CREDENTIALS, settings: { type: "object", properties: {} } }, {});
    expect(Object.keys(form.properties ?? {})).toEqual(["credentials"]);
  });
});

test("the server's field errors stand beside their fields, and the others are told apart", () => {
  const problem = parseProblem(
    {
      errors: [
        { path: "credentials.api_key", message: "Wrong kind of key." },
        { path: "kind", message: "Unknown." },
      ],
    },
    422,
  );
  const { tree, rest } = toExtraErrors(problem, ["label", "settings", "credentials"]);
  expect(tree).toEqual({ credentials: { api_key: { __errors: ["Wrong kind of key."] } } });
  expect(rest).toEqual(["Unknown."]);
});
