import { TextLink } from "@/components/ui/text-link";
import type { Aggregate, TableInfo } from "@/lib/api/models";
import { figureText, groupText, type Measure } from "./chart-words";
import { explorerHref } from "./explorer-href";
import { keyOf } from "./view-chart";

type ViewChartFiguresProps = { table: TableInfo; measure: Measure; answer: Aggregate };

/** One big figure per group; a group that is only the figure's own currency needs no further name. */
export function ViewChartFigures({ table, measure, answer }: ViewChartFiguresProps) {
  const named = answer.groups.filter(({ name }) => name !== measure.currency_column);
  return (
    <ul className="flex flex-wrap gap-x-8 gap-y-3 py-2">
      {answer.items.map((item) => (
        <li key={answer.groups.map(({ name }) => keyOf(item.group[name])).join(" ")} className="grid gap-0.5">
          <span className="font-semibold text-2xl tabular-nums leading-8">
            {item.filters ? (
              <TextLink href={explorerHref(table.name, item.filters)} className="text-foreground!">
                {figureText(measure, item)}
              </TextLink>
            ) : (
              figureText(measure, item)
            )}
          </span>
          {named.length > 0 && (
            <span className="text-muted-foreground text-xs">
              {named.map((column) => groupText(column, item.group[column.name] ?? null)).join(" · ")}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
