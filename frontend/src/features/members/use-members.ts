"use client";

import { $api } from "@/lib/api/query";

const PAGE = { params: { query: { limit: 100 } } };
// null and not undefined: the client's default for undefined is 0, which is no cursor of ours.
const BY_CURSOR = {
  pageParamName: "cursor",
  initialPageParam: null,
  getNextPageParam: (page: { next_cursor?: string | null }) => page.next_cursor ?? undefined,
};

export const useMembers = () => $api.useInfiniteQuery("get", "/api/v1/users", PAGE, BY_CURSOR);
export const useInvitations = () => $api.useInfiniteQuery("get", "/api/v1/users/invitations", PAGE, BY_CURSOR);
