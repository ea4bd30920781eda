import { keepPreviousData } from "@tanstack/react-query";
import { $api } from "@/lib/api/query";

const SCHEMA_STALE_MS = 60_000;
/** As many as the API gives at once; nobody scrolls a menu further. */
const MOST_VIEWS = 500;

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
