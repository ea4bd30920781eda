const ACRONYMS = /\b(?:ai|api|csv|id|mcp|url)s?\b/gi;

/** `balance_transactions` -> `Balance transactions`, for codes the server adds before this file knows them. */
export function humanize(code: string): string {
  const words = code.replace(/[_.-]+/g, " ").trim();
  const sentence = words.charAt(0).toUpperCase() + words.slice(1);
  return sentence.replace(ACRONYMS, (word) => word.toUpperCase().replace(/S$/, "s"));
}

export const plural = (count: number, one: string, many = `${one}s`) => (count === 1 ? one : many);
