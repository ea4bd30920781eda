import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/lib/api/query";

type Question = { table: string; filter: readonly string[]; group?: string; sum: string };

const MOST_GROUPS = 1000;

export const dashboardQueries = {
  /** Days are those of UTC, as every stamp of the app is, so that a bar and the rows behind it agree. */
  aggregate: ({ table, filter, group, sum }: Question) =>
    $api.queryOptions(
      "get",
      "/api/v1/tables/{table}/aggregate",
      {
        params: {
          path: { table },
          query: {
            filter: [...filter],
            ...(group && { group: [group] }),
            measure: ["count", `sum:${sum}`],
            timezone: "UTC",
            limit: MOST_GROUPS,
          },
        },
      },
      { placeholderData: keepPreviousData },
    ),
};
