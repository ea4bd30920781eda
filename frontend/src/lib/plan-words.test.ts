import { expect, test } from "vitest";
import { amountTitle, featureTitle, formatAmount, inPlanWords } from "./plan-words";

test("features have titles, and a plugin's are told from their id", () => {
  expect(featureTitle("core.api_keys")).toBe("API keys");
  expect(featureTitle("core.single_sign_on")).toBe("Single sign on");
  expect(featureTitle("stripe.sync")).toBe("Stripe sync");
});

test("of a quota this app does not know, the server's title is taken before its id", () => {
  expect(amountTitle("export_bytes_per_month", "Bytes exported")).toBe("Exported this month (UTC)");
  expect(amountTitle("recon.runs_per_day", "Reconciliations a day")).toBe("Reconciliations a day");
  expect(amountTitle("recon.runs_per_day")).toBe("Recon runs per day");
});

test.each([
  ["export_bytes_per_month", 2_500_000, "2.5 MB"],
  ["rag.bytes", 900, "900 bytes"],
  ["rows_landed", 12_000, "12,000"],
  ["kilobytes_read", 5_000, "5,000"],
])("%s of %d reads %j", (id, value, words) => expect(formatAmount(id, value)).toBe(words));

test.each([
  ["The quota api_keys is used up: 10 of 10.", "API keys in use: 10 of 10. No more fits your plan."],
  [
    "The quota export_bytes_per_month is used up: 3000000 of 2000000.",
    "Exported this month (UTC): 3 MB of 2 MB. No more fits your plan.",
  ],
  [
    "Your plan does not include core.custom_roles: Roles of your own beside the built-in ones.",
    "Your plan does not include Custom roles: Roles of your own beside the built-in ones.",
  ],
  [
    "stripe.sync needs another plan: enterprise, pro.",
    "Your plan does not include Stripe sync. It is in: Enterprise, Pro.",
  ],
  ["Net Suite needs another plan: pro.", "Your plan does not include Net Suite. It is in: Pro."],
  ["Wait for its end, or cancel it first.", "Wait for its end, or cancel it first."],
])("%j reads %j", (text, words) => expect(inPlanWords(text)).toBe(words));
