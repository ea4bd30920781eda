import { TextLink } from "@/components/ui/text-link";
import type { Aggregate, TableInfo } from "@/lib/api/models";
import { figureText, groupText, groupTitle, measureTitle } from "./chart-words";
import { explorerHref } from "./explorer-href";
import { keyOf } from "./view-chart";

type ViewChartTableProps = { table: TableInfo; label: string; answer: Aggregate };

/** Every group and figure of the chart: for those who cannot see it, and for what one drawing cannot show. */
export function ViewChartTable({ table, label, answer }: ViewChartTableProps) {
  const [first, ...others] = answer.groups;
  return (
    <details className="text-data">
      <summary className="w-fit cursor-pointer">Chart as a table</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section aria-label={label} tabIndex={0} className="mt-2 max-h-56 overflow-auto">
        <table aria-label={label} className="tabular-nums">
          <thead>
            <tr className="text-muted-foreground">
              {answer.groups.map((column) => (
                <th key={column.name} scope="col" className="whitespace-nowrap py-0.5 pr-6 text-left font-medium">
                  {groupTitle(table, column)}
                </th>
              ))}
              {answer.measures.map((measure) => (
                <th key={measure.name} scope="col" className="whitespace-nowrap py-0.5 pr-6 text-right font-medium">
                  {measureTitle(table, measure)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {answer.items.map((item) => (
              <tr key={answer.groups.map(({ name }) => keyOf(item.group[name])).join(" ")}>
                {first && (
                  <th scope="row" className="whitespace-nowrap py-0.5 pr-6 text-left font-normal">
                    {item.filters ? (
                      <TextLink
                        href={explorerHref(table.name, item.filters)}
                        className="inline-block min-w-6 leading-6"
                      >
                        {groupText(first, item.group[first.name] ?? null)}
                      </TextLink>
                    ) : (
                      groupText(first, item.group[first.name] ?? null)
                    )}
                  </th>
                )}
                {others.map((column) => (
                  <td key={column.name} className="whitespace-nowrap py-0.5 pr-6">
                    {groupText(column, item.group[column.name] ?? null)}
                  </td>
                ))}
                {answer.measures.map((measure) => (
                  <td key={measure.name} className="whitespace-nowrap py-0.5 pr-6 text-right">
                    {figureText(measure, item)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}
