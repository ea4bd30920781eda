import { client } from "@/lib/api/client";

export type ExportChoice = { table: string; filter: readonly string[]; sort: string; columns: readonly string[] };

export function csvHref({ table, filter, sort, columns }: ExportChoice): string {
  const query = new URLSearchParams({ sort, columns: columns.join(",") });
  for (const one of filter) query.append("filter", one);
  return `/api/v1/tables/${encodeURIComponent(table)}/export.csv?${query}`;
}

const nameIn = (disposition: string | null) => /filename="([^"]+)"/.exec(disposition ?? "")?.[1];

/** Fetched and not linked to: a workbook has a limit of rows, and a download cannot say why it was refused. */
export async function fetchWorkbook({ table, filter, sort, columns }: ExportChoice) {
  const { data, response } = await client.GET("/api/v1/tables/{table}/export.xlsx", {
    params: {
      path: { table },
      query: { sort, columns: columns.join(","), ...(filter.length > 0 && { filter: [...filter] }) },
    },
    parseAs: "blob",
  });
  return { content: data ?? new Blob(), name: nameIn(response.headers.get("Content-Disposition")) ?? `${table}.xlsx` };
}

export function saveFile(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
