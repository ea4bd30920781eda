import { $api } from "@/lib/api/query";

export const roleQueries = {
  list: () => $api.queryOptions("get", "/api/v1/users/roles", {}, { staleTime: 60_000 }),
  permissions: () => $api.queryOptions("get", "/api/v1/users/permissions", {}, { staleTime: 5 * 60_000 }),
};
