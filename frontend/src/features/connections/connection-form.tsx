"use client";

import type { ErrorSchema, RJSFSchema } from "@rjsf/utils";
import { useMemo, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { toExtraErrors } from "@/features/schema-form/extra-errors";
import { combineSchemas } from "@/features/schema-form/schema";
import { type FormData, SchemaForm } from "@/features/schema-form/schema-form";
import type { Provider } from "@/lib/api/models";
import type { ApiError } from "@/lib/api/problem";

export type ConnectionInput = {
  label: string;
  settings: Record<string, unknown>;
  credentials: Record<string, unknown>;
};

type ConnectionFormProps = {
  id: string;
  provider: Provider;
  initial: Pick<ConnectionInput, "label" | "settings">;
  withCredentials: boolean;
  busy: boolean;
  problem: ApiError | null;
  onSubmit: (input: ConnectionInput) => void;
};

const LABEL: RJSFSchema = {
  type: "string",
  title: "Label",
  description: "How this connection is called here.",
  minLength: 1,
  maxLength: 100,
};
const TITLES = { settings: "Settings", credentials: "Credentials" };
const SECTIONS = ["label", "settings", "credentials"];

function formSchema(provider: Provider, withCredentials: boolean): RJSFSchema {
  const combined = combineSchemas(
    {
      ...(withCredentials && { credentials: provider.credentials_schema }),
      settings: provider.settings_schema,
    },
    TITLES,
  );
  return {
    ...combined,
    required: ["label", ...(combined.required ?? [])],
    properties: { label: LABEL, ...combined.properties },
  };
}

const section = (data: FormData, name: string) => (data[name] ?? {}) as Record<string, unknown>;

export function ConnectionForm(props: ConnectionFormProps) {
  const { id, provider, initial, withCredentials, busy, problem, onSubmit } = props;
  const schema = useMemo(() => formSchema(provider, withCredentials), [provider, withCredentials]);
  const [data, setData] = useState<FormData>(() => ({
    label: initial.label,
    settings: withoutNulls(initial.settings),
  }));
  const extra = useMemo<{ tree: ErrorSchema<FormData>; rest: string[] } | null>(
    () => (problem ? toExtraErrors(problem, SECTIONS) : null),
    [problem],
  );
  return (
    <SchemaForm
      id={id}
      label={`${provider.title} connection`}
      schema={schema}
      data={data}
      onChange={setData}
      onSubmit={(sent) =>
        onSubmit({
          label: String(sent.label ?? ""),
          settings: section(sent, "settings"),
          credentials: withCredentials ? section(sent, "credentials") : {},
        })
      }
      extraErrors={extra?.tree}
      disabled={busy}
    >
      {problem ? (
        <Alert tone="danger" role="alert" title={problem.title}>
          {problem.message !== problem.title && <p>{problem.message}</p>}
          {extra?.rest.map((message) => (
            <p key={message}>{message}</p>
          ))}
        </Alert>
      ) : (
        <span />
      )}
    </SchemaForm>
  );
}

/** The form shows "nothing" as an empty field; a null would fail the schema of the value itself. */
function withoutNulls(settings: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));
}
