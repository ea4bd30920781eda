"use client";

import { type SubmitEvent, useId, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { LabelledCheckbox } from "@/components/ui/labelled-checkbox";
import { Spinner } from "@/components/ui/spinner";
import type { TableInfo } from "@/lib/api/models";
import { splitFieldErrors, toApiError } from "@/lib/api/problem";
import { ChartFields } from "./chart-fields";
import type { ViewChart } from "./view-chart";

export type ViewNaming = { name: string; shared: boolean; chart: ViewChart | null };

type ViewDialogProps = {
  table: TableInfo;
  title: string;
  description: string;
  submitLabel: string;
  initial: ViewNaming;
  busy: boolean;
  error: unknown;
  onSubmit: (naming: ViewNaming) => void;
  onClose: () => void;
};

export function ViewDialog(props: ViewDialogProps) {
  const { table, title, description, submitLabel, initial, busy, error, onSubmit, onClose } = props;
  const id = useId();
  const [shared, setShared] = useState(initial.shared);
  const [chart, setChart] = useState(initial.chart);
  const problem = error ? toApiError(error) : null;
  const { byField, rest } = problem ? splitFieldErrors(problem, ["name"]) : { byField: {}, rest: [] };
  const nameError = problem?.code === "view_name_taken" ? problem.title : byField.name;

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    onSubmit({ name: String(new FormData(event.currentTarget).get("name") ?? "").trim(), shared, chart });
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={title} description={description}>
        <DialogBody>
          <form id={id} onSubmit={submit} className="grid gap-4">
            <Field id={`${id}-name`} label="Name" error={nameError}>
              {(control) => (
                <Input
                  {...control}
                  name="name"
                  defaultValue={initial.name}
                  required
                  maxLength={100}
                  autoComplete="off"
                />
              )}
            </Field>
            <LabelledCheckbox checked={shared} onChange={setShared}>
              Share with everybody who may read this table
            </LabelledCheckbox>
            <ChartFields id={id} table={table} chart={chart} onChange={setChart} />
            {problem && !nameError && (
              <Alert tone="danger" role="alert" title={problem.title}>
                {rest.length > 0 ? rest.join(" ") : problem.message}
              </Alert>
            )}
          </form>
        </DialogBody>
        <DialogFooter>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={id} variant="primary" disabled={busy}>
            {busy && <Spinner />}
            {submitLabel}
          </Button>
        </DialogFooter>
      </DialogContent>
    </Dialog>
  );
}
