import { $api } from "@/lib/api/query";

export const sessionQueries = {
  me: () => $api.queryOptions("get", "/api/v1/auth/me", {}, { staleTime: 5 * 60_000 }),
};
