import { useId } from "react";
import { Label } from "@/components/ui/label";
import { Select } from "@/components/ui/select";

type ViewChartPickProps = {
  label: string;
  value: string;
  options: readonly { key: string; title: string }[];
  onChange: (key: string) => void;
};

/** With one option there is nothing to choose, but what is drawn is still said. */
export function ViewChartPick({ label, value, options, onChange }: ViewChartPickProps) {
  const id = useId();
  if (options.length < 2)
    return <p className="text-muted-foreground text-xs">{`${label}: ${options[0]?.title ?? ""}`}</p>;
  return (
    <div className="flex items-center gap-2">
      <Label htmlFor={id}>{label}</Label>
      <Select id={id} className="w-auto! max-w-48" value={value} onChange={({ target }) => onChange(target.value)}>
        {options.map(({ key, title }) => (
          <option key={key} value={key}>
            {title}
          </option>
        ))}
      </Select>
    </div>
  );
}
