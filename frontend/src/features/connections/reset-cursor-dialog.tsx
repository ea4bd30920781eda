"use client";

import { type FormEvent, useId, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Spinner } from "@/components/ui/spinner";
import type { CursorDetail } from "@/lib/api/models";
import { splitFieldErrors, toApiError } from "@/lib/api/problem";
import { ConflictAlert } from "./conflict-alert";
import { ResetTarget, type Target } from "./reset-target";
import { useResetCursor } from "./use-reset-cursor";
import { utcInstant } from "./utc-instant";

type ResetCursorDialogProps = { connectionId: string; cursor: CursorDetail; onClose: () => void };

export function ResetCursorDialog({ connectionId, cursor, onClose }: ResetCursorDialogProps) {
  const id = useId();
  const [target, setTarget] = useState<Target>("beginning");
  const [instant, setInstant] = useState("");
  const [missing, setMissing] = useState<string>();
  const reset = useResetCursor(connectionId, cursor.title, onClose);
  const problem = reset.isError ? toApiError(reset.error) : null;
  const errors = problem ? splitFieldErrors(problem, ["to"]) : null;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const to = target === "beginning" ? "beginning" : utcInstant(instant);
    setMissing(to ? undefined : "Enter a date and a time.");
    if (!to) return;
    reset.mutate({ params: { path: { connection_id: connectionId, stream: cursor.stream } }, body: { to } });
  };

  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        title={`Reset the cursor of ${cursor.title}?`}
        description="The next sync reads the stream from there on. Rows that are already here stay as they are."
      >
        <form onSubmit={submit} noValidate className="flex min-h-0 flex-col">
          <DialogBody className="grid gap-4">
            <ResetTarget value={target} onChange={setTarget} canChooseInstant={cursor.kind === "time"} />
            {target === "instant" && (
              <Field
                id={`${id}-instant`}
                label="Instant (UTC)"
                hint="Everything up to then counts as read already."
                error={missing ?? errors?.byField.to}
              >
                {(control) => (
                  <Input
                    {...control}
                    type="datetime-local"
                    step={1}
                    value={instant}
                    onChange={(event) => setInstant(event.target.value)}
                  />
                )}
              </Field>
            )}
            {(cursor.window || cursor.slices.length > 0) && (
              <Alert tone="warning" title="Something is under way here">
                What was begun and not finished is given up.
              </Alert>
            )}
            {problem && !errors?.byField.to && <ConflictAlert problem={problem} />}
          </DialogBody>
          <DialogFooter>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="danger" disabled={reset.isPending}>
              {reset.isPending && <Spinner />}
              Reset cursor
            </Button>
          </DialogFooter>
        </form>
      </DialogContent>
    </Dialog>
  );
}
