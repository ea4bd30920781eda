import { $api } from "@/lib/api/query";

export const planQueries = {
  plan: () => $api.queryOptions("get", "/api/v1/tenants/me/plan", {}, { staleTime: 60_000 }),
};

export const tenantQueries = {
  tenant: () => $api.queryOptions("get", "/api/v1/tenants/me"),
  usage: (from: string) => $api.queryOptions("get", "/api/v1/tenants/me/usage", { params: { query: { from } } }),
};
