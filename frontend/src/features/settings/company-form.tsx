"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type SubmitEvent, useId } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { sessionQueries } from "@/features/shell/queries";
import { formErrors } from "@/lib/api/form-errors";
import type { Tenant } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { currencies, timeZones } from "./choices";
import { tenantQueries } from "./queries";

const FIELDS = ["name", "timezone", "default_currency"] as const;

export function CompanyForm({ tenant }: { tenant: Tenant }) {
  const id = useId();
  const queryClient = useQueryClient();
  const save = $api.useMutation("patch", "/api/v1/tenants/me", {
    onSuccess: (saved) => {
      toast.success("The company is saved");
      queryClient.setQueryData(tenantQueries.tenant().queryKey, saved);
      queryClient.invalidateQueries({ queryKey: sessionQueries.me().queryKey });
    },
  });
  const { problem, byField, rest } = formErrors(save.error, FIELDS);
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: (typeof FIELDS)[number]) => String(form.get(name) ?? "").trim();
    save.mutate({
      body: { name: text("name"), timezone: text("timezone"), default_currency: text("default_currency") },
    });
  };
  return (
    <form onSubmit={submit} aria-label="Company" className="grid gap-4">
      <FormProblem problem={problem} rest={rest} />
      <Field id={`${id}-name`} label="Name" error={byField.name}>
        {(control) => (
          <Input
            {...control}
            name="name"
            defaultValue={tenant.name}
            autoComplete="organization"
            maxLength={200}
            required
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field id={`${id}-timezone`} label="Time zone" error={byField.timezone}>
          {(control) => (
            <Select {...control} name="timezone" defaultValue={tenant.timezone}>
              {timeZones(tenant.timezone).map((zone) => (
                <option key={zone} value={zone}>
                  {zone}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field id={`${id}-currency`} label="Currency" error={byField.default_currency}>
          {(control) => (
            <Select {...control} name="default_currency" defaultValue={tenant.default_currency}>
              {currencies(tenant.default_currency).map(({ code, title }) => (
                <option key={code} value={code}>
                  {title}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      <Button type="submit" variant="primary" className="justify-self-start" disabled={save.isPending}>
        {save.isPending && <Spinner />}
        Save company
      </Button>
    </form>
  );
}
