/** `balance_transactions` -> `Balance transactions`, for codes the server adds before this file knows them. */
export function humanize(code: string): string {
  const words = code.replace(/[_.-]+/g, " ").trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export const plural = (count: number, one: string, many = `${one}s`) => (count === 1 ? one : many);
