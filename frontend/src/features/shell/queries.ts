import { $api } from "@/lib/api/query";

// As many as one answer holds: a menu with more would help nobody.
const MOST_TENANTS = 500;

export const sessionQueries = {
  me: () => $api.queryOptions("get", "/api/v1/auth/me", {}, { staleTime: 5 * 60_000 }),
  tenants: () =>
    $api.queryOptions(
      "get",
      "/api/v1/auth/me/tenants",
      { params: { query: { limit: MOST_TENANTS } } },
      { staleTime: 5 * 60_000 },
    ),
};
