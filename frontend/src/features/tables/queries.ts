import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/lib/api/query";
import type { ViewChart } from "./view-chart";

const SCHEMA_STALE_MS = 60_000;
/** As many as the API gives at once; nobody scrolls a menu further. */
const MOST_VIEWS = 500;
const MOST_GROUPS = 1000;

export const tableQueries = {
  list: () => $api.queryOptions("get", "/api/v1/tables", {}, { staleTime: SCHEMA_STALE_MS }),
  row: (table: string, id: string) =>
    $api.queryOptions("get", "/api/v1/tables/{table}/rows/{row_id}", { params: { path: { table, row_id: id } } }),
  /** Counting is asked for apart from the rows, so that a slow count never delays the first page. */
  total: (table: string, filter: string[]) =>
    $api.queryOptions("get", "/api/v1/tables/{table}", {
      params: { path: { table }, query: { limit: 1, count: true, ...(filter.length > 0 && { filter }) } },
    }),
  views: (table: string) =>
    $api.queryOptions("get", "/api/v1/tables/views", { params: { query: { table, limit: MOST_VIEWS } } }),
  /** Days are those of UTC, as every stamp of the app is, so that a bar and the rows behind it agree. */
  chart: (table: string, filter: string[], { groups, measures, sort }: ViewChart) =>
    $api.queryOptions(
      "get",
      "/api/v1/tables/{table}/aggregate",
      {
        params: {
          path: { table },
          query: {
            timezone: "UTC",
            limit: MOST_GROUPS,
            ...(groups && { group: groups }),
            ...(measures && { measure: measures }),
            ...(sort && { sort }),
            ...(filter.length > 0 && { filter }),
          },
        },
      },
      { placeholderData: keepPreviousData },
    ),
  totals: (table: string, filter: string[], sums: readonly string[]) =>
    $api.queryOptions(
      "get",
      "/api/v1/tables/{table}/aggregate",
      {
        params: {
          path: { table },
          query: { measure: ["count", ...sums.map((sum) => `sum:${sum}`)], ...(filter.length > 0 && { filter }) },
        },
      },
      { placeholderData: keepPreviousData },
    ),
};
