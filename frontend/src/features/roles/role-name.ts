import { suggestSlug } from "@/lib/slug";

const LONGEST = 40;

/** `Accounts payable` -> `accounts_payable`: the same letters a company's short name is made of, joined by underscores. */
export const suggestRoleName = (title: string): string =>
  suggestSlug(title)
    .replace(/-/g, "_")
    .replace(/^[^a-z]+/, "")
    .slice(0, LONGEST)
    .replace(/_+$/, "");
