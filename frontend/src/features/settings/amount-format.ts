import { formatBytes } from "@/lib/format/bytes";
import { formatCount } from "@/lib/format/number";

/** Quotas and metrics say in their name whether they count bytes. */
export const amountFormat = (name: string): ((value: number) => string) =>
  /(^|_)bytes(_|$)/.test(name) ? formatBytes : formatCount;
