"use client";

import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { Button } from "@/components/ui/button";
import { CheckRow } from "@/components/ui/check-row";
import { roleQueries } from "@/features/roles/queries";
import { useMay } from "@/features/shell/use-may";
import { useMe } from "@/features/shell/use-me";

type ScopeChecklistProps = {
  chosen: readonly string[];
  onChange: (scopes: string[]) => void;
  error?: string | undefined;
};

/** Only what the maker holds. Descriptions need a permission of their own, so without them the names stand alone. */
export function ScopeChecklist({ chosen, onChange, error }: ScopeChecklistProps) {
  const id = useId();
  const { permissions: held } = useMe();
  const { data } = useQuery({ ...roleQueries.permissions(), enabled: useMay("members.read") });
  const descriptionOf = (name: string) => data?.items.find((one) => one.name === name)?.description;
  const names = [...held].sort();
  const reading = names.filter((name) => name.endsWith(".read"));
  return (
    <fieldset className="grid gap-2.5" aria-describedby={error ? `${id}-error` : undefined}>
      <legend className="mb-2 font-medium text-sm">Scopes</legend>
      <div className="flex flex-wrap gap-2">
        <Button size="sm" onClick={() => onChange(reading)}>
          Everything that reads
        </Button>
        <Button size="sm" onClick={() => onChange(names)}>
          All
        </Button>
        <Button size="sm" onClick={() => onChange([])}>
          None
        </Button>
      </div>
      {names.map((name) => (
        <CheckRow
          key={name}
          label={name}
          hint={descriptionOf(name)}
          checked={chosen.includes(name)}
          onChange={(isChecked) => onChange(isChecked ? [...chosen, name] : chosen.filter((one) => one !== name))}
        />
      ))}
      {error && (
        <p id={`${id}-error`} className="text-danger text-xs">
          {error}
        </p>
      )}
    </fieldset>
  );
}
