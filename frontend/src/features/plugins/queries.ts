import { $api } from "@/lib/api/query";

export const pluginQueries = {
  list: () => $api.queryOptions("get", "/api/v1/plugins"),
  detail: (name: string) => $api.queryOptions("get", "/api/v1/plugins/{name}", { params: { path: { name } } }),
  settings: (name: string) =>
    $api.queryOptions("get", "/api/v1/plugins/{name}/settings", { params: { path: { name } } }),
};
