import { formatBytes } from "./format/bytes";
import { formatCount } from "./format/number";
import { humanize } from "./format/words";

/** What plans are made of, by the server's ids. Plugins add their own: those are told from their id. */
const FEATURES: Record<string, string> = {
  "core.api_keys": "API keys",
  "core.custom_roles": "Custom roles",
};

const AMOUNTS: Record<string, string> = {
  connections: "Connections",
  members: "Members",
  api_keys: "API keys in use",
  rows_per_month: "Rows landed this month (UTC)",
  export_bytes_per_month: "Exported this month (UTC)",
  rows_landed: "Rows landed",
  export_bytes: "Exported",
};

export const featureTitle = (id: string): string => FEATURES[id] ?? humanize(id.replace(/^core\./, ""));

/** Of a quota or a metric; `given` is a title the server has for it. */
export const amountTitle = (id: string, given?: string): string => AMOUNTS[id] ?? (given || humanize(id));

/** Quotas and metrics say in their id whether they count bytes. */
export const formatAmount = (id: string, value: number): string =>
  /(^|[._])bytes([._]|$)/.test(id) ? formatBytes(value) : formatCount(value);

const QUOTA_USED_UP = /\bThe quota ([a-z0-9_.]+) is used up: (\d+) of (\d+)/;
const PLAN_NEEDED = /^([a-z0-9_]+\.[a-z0-9_]+|[^.]+) needs another plan: ([a-z0-9_, ]+)\.$/;
const FEATURE_MISSING = /\bYour plan does not include ([a-z0-9_]+\.[a-z0-9_]+):/;

/** The server's words about a plan with titles and units instead of ids; any other text is left as it is. */
export const inPlanWords = (text: string): string =>
  text
    .replace(QUOTA_USED_UP, (_, id: string, used: string, limit: string) => {
      const [of, most] = [used, limit].map((one) => formatAmount(id, Number(one)));
      return `${amountTitle(id)}: ${of} of ${most}. No more fits your plan`;
    })
    .replace(PLAN_NEEDED, (_, what: string, plans: string) => {
      const title = what.includes(".") ? featureTitle(what) : what;
      return `Your plan does not include ${title}. It is in: ${plans.split(", ").map(humanize).join(", ")}.`;
    })
    .replace(FEATURE_MISSING, (_, id: string) => `Your plan does not include ${featureTitle(id)}:`);
