"use client";

import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { isUuid } from "@/lib/uuid";

export function TimelineForm({ id, onChange }: { id: string; onChange: (id: string) => void }) {
  const [draft, setDraft] = useState(id);
  const [error, setError] = useState<string>();

  const show = (event: FormEvent) => {
    event.preventDefault();
    const next = draft.trim().toLowerCase();
    if (!isUuid(next)) {
      setError("A correlation id has the form 0192f0c1-2345-7abc-8def-0123456789ab");
      return;
    }
    setError(undefined);
    onChange(next);
  };

  return (
    <form onSubmit={show} noValidate className="grid max-w-2xl gap-1.5">
      <Field id="timeline-id" label="Correlation id" error={error}>
        {(control) => (
          <div className="flex gap-2">
            <Input
              {...control}
              value={draft}
              autoComplete="off"
              spellCheck={false}
              className="font-mono"
              onChange={(event) => setDraft(event.target.value)}
            />
            <Button type="submit" variant="primary">
              Show
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}
