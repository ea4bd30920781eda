"use client";

import { type SubmitEvent, useId, useState } from "react";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import type { ColumnInfo } from "@/lib/api/models";
import { type Filter, filterProblem, OPERATORS_BY_TYPE, operatorWords } from "./filter";
import { FilterValue } from "./filter-value";

type FilterEditorProps = { columns: readonly ColumnInfo[]; initial?: Filter; onApply: (filter: Filter) => void };

/** `is empty` asks nothing more, so it carries its answer; a yes/no column starts at yes. */
function emptyValue(operator: Filter["operator"], type: ColumnInfo["type"]): string {
  return operator === "is_null" || type === "boolean" ? "true" : "";
}

function startOf(column: ColumnInfo): Filter {
  const operator = OPERATORS_BY_TYPE[column.type][0] ?? "eq";
  return { column: column.name, operator, value: emptyValue(operator, column.type) };
}

export function FilterEditor({ columns, initial, onApply }: FilterEditorProps) {
  const id = useId();
  const [draft, setDraft] = useState<Filter | null>(() => initial ?? (columns[0] ? startOf(columns[0]) : null));
  const [problem, setProblem] = useState<string | null>(null);
  const column = columns.find(({ name }) => name === draft?.column);
  if (!draft || !column) return <p className="text-muted-foreground">This column cannot be filtered.</p>;

  const change = (next: Filter) => {
    setDraft(next);
    setProblem(null);
  };
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const found = filterProblem(draft, column.type);
    setProblem(found);
    if (!found) onApply({ ...draft, value: draft.value.trim() });
  };

  return (
    <form onSubmit={submit} className="grid gap-3" noValidate>
      <Field id={`${id}-column`} label="Column">
        {(control) => (
          <Select
            {...control}
            value={draft.column}
            onChange={(event) => {
              const next = columns.find(({ name }) => name === event.target.value);
              if (next) change(startOf(next));
            }}
          >
            {columns.map(({ name, title }) => (
              <option key={name} value={name}>
                {title}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field id={`${id}-operator`} label="Condition">
        {(control) => (
          <Select
            {...control}
            value={draft.operator}
            onChange={(event) => {
              const operator = OPERATORS_BY_TYPE[column.type].find((one) => one === event.target.value);
              if (!operator) return;
              const keeps =
                operator !== "is_null" && draft.operator !== "is_null" && operator !== "in" && draft.operator !== "in";
              change({ ...draft, operator, value: keeps ? draft.value : emptyValue(operator, column.type) });
            }}
          >
            {OPERATORS_BY_TYPE[column.type].map((operator) => (
              <option key={operator} value={operator}>
                {operatorWords(operator, column.type)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <FilterValue
        id={`${id}-value`}
        column={column}
        filter={draft}
        error={problem ?? undefined}
        onChange={(value) => change({ ...draft, value })}
      />
      <Button type="submit" variant="primary" size="sm">
        Apply filter
      </Button>
    </form>
  );
}
