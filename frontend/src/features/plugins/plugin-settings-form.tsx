"use client";

import type { RJSFSchema } from "@rjsf/utils";
import { useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { toExtraErrors } from "@/features/schema-form/extra-errors";
import { type FormData, SchemaForm } from "@/features/schema-form/schema-form";
import type { PluginSettings } from "@/lib/api/models";
import { toApiError } from "@/lib/api/problem";
import { $api } from "@/lib/api/query";
import { pluginQueries } from "./queries";

type PluginSettingsFormProps = { name: string; settings: PluginSettings; onSaved: () => void };

export function PluginSettingsForm({ name, settings, onSaved }: PluginSettingsFormProps) {
  const id = useId();
  const queryClient = useQueryClient();
  const [data, setData] = useState<FormData>({ settings: settings.settings ?? {} });
  const reload = () => queryClient.invalidateQueries({ queryKey: pluginQueries.settings(name).queryKey });
  const save = $api.useMutation("put", "/api/v1/plugins/{name}/settings", {
    onSuccess: () => {
      toast.success("The settings are saved");
      onSaved();
      return reload();
    },
    onError: (error) => {
      // Somebody else saved meanwhile: theirs are shown, and the form begins anew from them.
      if (toApiError(error).status === 412) return reload();
    },
  });
  const problem = save.isError ? toApiError(save.error) : null;
  const { tree, rest } = problem ? toExtraErrors(problem, ["settings"]) : { tree: undefined, rest: [] };
  const schema: RJSFSchema = { type: "object", properties: { settings: settings.settings_schema as RJSFSchema } };
  return (
    <div className="grid gap-4">
      <FormProblem problem={problem} rest={rest} />
      <SchemaForm
        id={id}
        label="Settings of the plugin"
        schema={schema}
        data={data}
        onChange={setData}
        extraErrors={tree}
        disabled={save.isPending}
        onSubmit={(given) =>
          save.mutate({
            params: { path: { name }, header: { "If-Match": `"${settings.version}"` } },
            body: { settings: (given.settings ?? {}) as Record<string, unknown> },
          })
        }
      />
      <Button type="submit" form={id} variant="primary" className="justify-self-start" disabled={save.isPending}>
        {save.isPending && <Spinner />}
        Save settings
      </Button>
    </div>
  );
}
