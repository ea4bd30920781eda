"use client";

import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import type { ColumnInfo } from "@/lib/api/models";
import { EnumValues } from "./enum-values";
import type { Filter } from "./filter";

type FilterValueProps = {
  id: string;
  column: ColumnInfo;
  filter: Filter;
  error: string | undefined;
  onChange: (value: string) => void;
};

// `datetime-local` knows no zone; the product's zone is UTC, so the stamp is read and written as that.
const toLocalInput = (value: string) => value.replace(/(:\d\d)?(\.\d+)?Z$/, "");
const toInstant = (value: string) => (value ? `${value.length === 16 ? `${value}:00` : value}Z` : "");

export function FilterValue({ id, column, filter, error, onChange }: FilterValueProps) {
  if (filter.operator === "is_null" || column.type === "boolean") {
    return (
      <Field id={id} label="Value">
        {(control) => (
          <Select {...control} value={filter.value} onChange={(event) => onChange(event.target.value)}>
            <option value="true">Yes</option>
            <option value="false">No</option>
          </Select>
        )}
      </Field>
    );
  }
  if (filter.operator === "in") {
    return <EnumValues id={id} options={column.enum ?? []} value={filter.value} error={error} onChange={onChange} />;
  }
  if (column.type === "enum") {
    return (
      <Field id={id} label="Value" error={error}>
        {(control) => (
          <Select {...control} value={filter.value} onChange={(event) => onChange(event.target.value)}>
            <option value="">Choose…</option>
            {(column.enum ?? []).map((option) => (
              <option key={option} value={option}>
                {option}
              </option>
            ))}
          </Select>
        )}
      </Field>
    );
  }
  if (column.type === "timestamp") {
    return (
      <Field id={id} label="Value (UTC)" error={error}>
        {(control) => (
          <Input
            {...control}
            type="datetime-local"
            value={toLocalInput(filter.value)}
            onChange={(event) => onChange(toInstant(event.target.value))}
          />
        )}
      </Field>
    );
  }
  const isNumeric = column.type === "money" || column.type === "number";
  return (
    <Field id={id} label="Value" error={error}>
      {(control) => (
        <Input
          {...control}
          type={column.type === "date" ? "date" : "text"}
          {...(isNumeric && { inputMode: "decimal" as const, className: "text-right tabular-nums" })}
          value={filter.value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
