import { expect, test } from "vitest";
import { humanize } from "./words";

test.each([
  ["balance_transactions", "Balance transactions"],
  ["api_keys", "API keys"],
  ["source_id", "Source ID"],
  ["page_urls", "Page URLs"],
  ["aid", "Aid"],
])("%s reads %j", (code, words) => expect(humanize(code)).toBe(words));
