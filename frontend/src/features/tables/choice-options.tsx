import type { Choice } from "./chart-choices";

export function ChoiceOptions({ choices }: { choices: readonly Choice[] }) {
  return choices.map(({ value, title }) => (
    <option key={value} value={value}>
      {title}
    </option>
  ));
}
