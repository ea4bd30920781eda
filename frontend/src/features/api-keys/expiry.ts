/** How long a new key lasts, in days; null is for ever. */
export const EXPIRIES = [
  { id: "30", title: "30 days", days: 30 },
  { id: "90", title: "90 days", days: 90 },
  { id: "365", title: "1 year", days: 365 },
  { id: "never", title: "Never", days: null },
] as const;

export type ExpiryId = (typeof EXPIRIES)[number]["id"];

const DAY_MS = 86_400_000;

export function expiryInstant(id: ExpiryId, now: number = Date.now()): string | null {
  const days = EXPIRIES.find((one) => one.id === id)?.days ?? null;
  return days === null ? null : new Date(now + days * DAY_MS).toISOString();
}
