import { $api } from "@/lib/api/query";

export const pluginQueries = {
  list: () => $api.queryOptions("get", "/api/v1/plugins"),
};
