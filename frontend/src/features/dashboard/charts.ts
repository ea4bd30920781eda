import type { Bucket, Period } from "./period";

export type ChartKind = {
  id: "payments" | "payouts" | "fees";
  table: string;
  title: string;
  rows: [one: string, many: string];
  /** The time the bars are of, and whether the API reads it as an instant or as a day. */
  time: string;
  timeType: "timestamp" | "date";
  sum: string;
  filters: readonly string[];
  buckets: Record<Period, Bucket>;
  note?: string;
};

const WEEKLY: Record<Period, Bucket> = { "30d": "week", "90d": "week", "12m": "month" };

export const PAYMENTS: ChartKind = {
  id: "payments",
  table: "payments",
  title: "Payments captured",
  rows: ["payment", "payments"],
  time: "captured_at",
  timeType: "timestamp",
  sum: "amount_captured",
  filters: [],
  buckets: { ...WEEKLY, "30d": "day" },
};

export const PAYOUTS: ChartKind = {
  id: "payouts",
  table: "payouts",
  title: "Payouts",
  rows: ["payout", "payouts"],
  time: "arrival_date",
  timeType: "date",
  sum: "amount",
  filters: ["status:in:pending,in_transit,paid"],
  buckets: WEEKLY,
  note: "By day of arrival, those under way included.",
};

export const FEES: ChartKind = {
  id: "fees",
  table: "fees",
  title: "Fees",
  rows: ["fee", "fees"],
  time: "source_created_at",
  timeType: "timestamp",
  sum: "amount",
  filters: [],
  buckets: WEEKLY,
  note: "Taken from payments; fees billed on their own are payout lines of kind fee.",
};
