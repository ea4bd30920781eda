import { FigureCard } from "./figure-card";
import { type Period, periodStart } from "./period";

const OPEN_DISPUTES = [
  "warning_needs_response",
  "warning_under_review",
  "needs_response",
  "under_review",
  "appeal_needs_response",
  "appeal_under_review",
];

export function FigureCards({ period }: { period: Period }) {
  const from = periodStart(period, "day");
  const since = `source_created_at:gte:${from}T00:00:00Z`;
  return (
    <div className="grid grid-cols-2 gap-3 sm:gap-4 xl:grid-cols-4">
      <FigureCard
        title="Refunds"
        note={`Since ${from}, without those that failed`}
        table="refunds"
        sum="amount"
        filters={["status:in:pending,requires_action,succeeded", since]}
      />
      <FigureCard
        title="Open disputes"
        note="Now, whenever they began"
        table="disputes"
        sum="amount"
        filters={[`status:in:${OPEN_DISPUTES.join(",")}`]}
      />
      <FigureCard
        title="Failed payments"
        note={`Since ${from}`}
        table="payments"
        sum="amount"
        filters={["status:in:failed", since]}
      />
      <FigureCard
        title="Payouts under way"
        note="Now, not yet at the bank"
        table="payouts"
        sum="amount"
        filters={["status:in:pending,in_transit"]}
      />
    </div>
  );
}
