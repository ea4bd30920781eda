const PAGE_SIZE = 50;

export const accountQueries = {
  /** Prefix of every page of one's own sessions. */
  sessions: () => ["get", "/api/v1/auth/sessions"] as const,
  pageSize: PAGE_SIZE,
};
