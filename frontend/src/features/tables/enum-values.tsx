import { LabelledCheckbox } from "@/components/ui/labelled-checkbox";
import { humanize } from "@/lib/format/words";
import { splitValues } from "./filter";

type EnumValuesProps = {
  id: string;
  options: readonly string[];
  value: string;
  error: string | undefined;
  onChange: (value: string) => void;
};

export function EnumValues({ id, options, value, error, onChange }: EnumValuesProps) {
  const chosen = splitValues(value);
  const toggle = (option: string, isChosen: boolean) =>
    onChange(options.filter((one) => (one === option ? isChosen : chosen.includes(one))).join(","));
  return (
    <fieldset aria-describedby={error ? `${id}-error` : undefined} className="grid gap-1.5">
      <legend className="mb-1.5 font-medium">Values</legend>
      {options.map((option) => (
        <LabelledCheckbox
          key={option}
          checked={chosen.includes(option)}
          onChange={(isChosen) => toggle(option, isChosen)}
        >
          {humanize(option)}
        </LabelledCheckbox>
      ))}
      {error && (
        <p id={`${id}-error`} className="text-danger text-xs">
          {error}
        </p>
      )}
    </fieldset>
  );
}
