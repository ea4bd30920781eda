/** What a `datetime-local` field holds, taken as UTC like every time in the product; null when it holds no time. */
export function utcInstant(local: string): string | null {
  const at = new Date(`${local}Z`);
  return local === "" || Number.isNaN(at.getTime()) ? null : at.toISOString();
}
