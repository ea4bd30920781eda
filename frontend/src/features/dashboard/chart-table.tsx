import { formatCount, formatDecimal } from "@/lib/format/number";
import { humanize } from "@/lib/format/words";

type ChartTableProps = {
  caption: string;
  rows: string;
  bars: readonly { key: string; title: string; sum: string; count: number }[];
};

/** The chart's figures for those who cannot see its bars. */
export function ChartTable({ caption, rows, bars }: ChartTableProps) {
  return (
    <table className="sr-only">
      <caption>{caption}</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Amount</th>
          <th scope="col">{humanize(rows)}</th>
        </tr>
      </thead>
      <tbody>
        {bars.map(({ key, title, sum, count }) => (
          <tr key={key}>
            <th scope="row">{title}</th>
            <td>{formatDecimal(sum)}</td>
            <td>{formatCount(count)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
