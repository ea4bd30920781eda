import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import type { TableInfo } from "@/lib/api/models";
import {
  chartOfKind,
  groupChoices,
  groupedBy,
  kindChoices,
  measureChoices,
  measuredBy,
  withCurrent,
} from "./chart-choices";
import { ChoiceOptions } from "./choice-options";
import type { ViewChart } from "./view-chart";

type ChartFieldsProps = {
  id: string;
  table: TableInfo;
  chart: ViewChart | null;
  onChange: (chart: ViewChart | null) => void;
};

export function ChartFields({ id, table, chart, onChange }: ChartFieldsProps) {
  const group = chart?.groups?.[0] ?? "";
  const kinds = kindChoices(chart);
  const measure = chart?.measures?.[0] ?? "count";
  return (
    <fieldset className="grid gap-3">
      <Field id={`${id}-chart`} label="Chart above the rows">
        {(control) => (
          <Select
            {...control}
            value={chart?.kind ?? ""}
            onChange={({ target }) => {
              const kind = kinds.find(({ value }) => value === target.value)?.value;
              onChange(kind ? chartOfKind(table, kind, chart) : null);
            }}
          >
            <option value="">None</option>
            <ChoiceOptions choices={kinds} />
          </Select>
        )}
      </Field>
      {chart && (
        <div className="grid gap-3 sm:grid-cols-2">
          <Field id={`${id}-chart-figure`} label="Figure">
            {(control) => (
              <Select {...control} value={measure} onChange={({ target }) => onChange(measuredBy(chart, target.value))}>
                <ChoiceOptions choices={withCurrent(measureChoices(table), measure)} />
              </Select>
            )}
          </Field>
          <Field id={`${id}-chart-group`} label="For each">
            {(control) => (
              <Select {...control} value={group} onChange={({ target }) => onChange(groupedBy(chart, target.value))}>
                <option value="">All rows together</option>
                <ChoiceOptions choices={withCurrent(groupChoices(table), group || undefined)} />
              </Select>
            )}
          </Field>
        </div>
      )}
    </fieldset>
  );
}
