import { $api } from "@/lib/api/query";

const SCHEMA_STALE_MS = 60_000;

export const tableQueries = {
  list: () => $api.queryOptions("get", "/api/v1/tables", {}, { staleTime: SCHEMA_STALE_MS }),
  row: (table: string, id: string) =>
    $api.queryOptions("get", "/api/v1/tables/{table}/rows/{row_id}", { params: { path: { table, row_id: id } } }),
  /** Counting is asked for apart from the rows, so that a slow count never delays the first page. */
  total: (table: string, filter: string[]) =>
    $api.queryOptions("get", "/api/v1/tables/{table}", {
      params: { path: { table }, query: { limit: 1, count: true, ...(filter.length > 0 && { filter }) } },
    }),
};
