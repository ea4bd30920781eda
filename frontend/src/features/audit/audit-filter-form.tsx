"use client";

import { ListFilter } from "lucide-react";
import { type FormEvent, useState } from "react";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { cn } from "@/lib/cn";
import { CategoryOptions } from "./category-options";
import { type AuditFilters, type FilterName, hasFilters, NO_FILTERS, OUTCOMES, sameFilters, validate } from "./filters";
import { OUTCOME } from "./outcome";
import { TextFilter } from "./text-filter";

type AuditFilterFormProps = { filters: AuditFilters; onChange: (filters: AuditFilters) => void };

export function AuditFilterForm({ filters, onChange }: AuditFilterFormProps) {
  const [applied, setApplied] = useState(filters);
  const [draft, setDraft] = useState(filters);
  const [checked, setChecked] = useState(filters);
  // Ten fields fill a small screen: there they wait behind a button, so that the events come first.
  const [isOpen, setOpen] = useState(hasFilters(filters));
  // The address may change without this form, by the back button or a link: what it says then replaces what was typed.
  if (!sameFilters(applied, filters)) {
    setApplied(filters);
    setDraft(filters);
    setChecked(filters);
  }
  // Of what was last applied, not of what is being typed: an id half entered is no mistake yet.
  const errors = validate(checked);
  const set = (name: FilterName) => (value: string) => setDraft((current) => ({ ...current, [name]: value }));
  const text = (name: FilterName) => ({
    id: `audit-${name}`,
    value: draft[name],
    error: errors[name],
    onChange: set(name),
  });

  const apply = (event: FormEvent) => {
    event.preventDefault();
    const trimmed = Object.fromEntries(Object.entries(draft).map(([name, value]) => [name, value.trim()]));
    const next = { ...NO_FILTERS, ...trimmed };
    setDraft(next);
    setChecked(next);
    if (Object.keys(validate(next)).length === 0) onChange(next);
  };
  const clear = () => {
    setDraft(NO_FILTERS);
    setChecked(NO_FILTERS);
    onChange(NO_FILTERS);
  };

  return (
    <Card className="p-4">
      <Button
        size="sm"
        className="w-full sm:hidden"
        aria-expanded={isOpen}
        aria-controls="audit-filters"
        onClick={() => setOpen((open) => !open)}
      >
        <ListFilter aria-hidden />
        {isOpen ? "Hide filters" : "Show filters"}
      </Button>
      <form
        id="audit-filters"
        aria-label="Filters"
        onSubmit={apply}
        noValidate
        className={cn("grid gap-3 max-sm:mt-4", !isOpen && "max-sm:hidden")}
      >
        <div className="grid items-start gap-3 sm:grid-cols-2 lg:grid-cols-5">
          <TextFilter {...text("from")} label="From (UTC)" type="date" />
          <TextFilter {...text("to")} label="To (UTC)" type="date" />
          <TextFilter {...text("category")} label="Category" list="audit-categories" />
          <TextFilter {...text("action")} label="Action begins with" placeholder="core.session." />
          <Field id="audit-outcome" label="Outcome">
            {(control) => (
              <Select {...control} value={draft.outcome} onChange={(event) => set("outcome")(event.target.value)}>
                <option value="">Any</option>
                {OUTCOMES.map((one) => (
                  <option key={one} value={one}>
                    {OUTCOME[one].title}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <TextFilter {...text("actor")} label="Actor" placeholder="Name or id" />
          <TextFilter {...text("resource_type")} label="Resource type" placeholder="job" />
          <TextFilter {...text("resource_id")} label="Resource id" />
          <TextFilter {...text("correlation_id")} label="Correlation id" />
          <TextFilter {...text("job_id")} label="Job id" />
        </div>
        <CategoryOptions id="audit-categories" />
        <div className="flex flex-wrap gap-2">
          <Button type="submit" size="sm" variant="primary">
            Apply filters
          </Button>
          {(hasFilters(filters) || hasFilters(draft)) && (
            <Button size="sm" variant="ghost" onClick={clear}>
              Clear filters
            </Button>
          )}
        </div>
      </form>
    </Card>
  );
}
