import { Alert } from "@/components/ui/alert";
import { Moment } from "@/components/ui/moment";
import type { Plan } from "@/lib/api/models";
import { endedTitle } from "./plan-words";

export function PlanExpiry({ plan }: { plan: Plan }) {
  if (plan.has_ended) {
    return (
      <Alert tone="danger" title={endedTitle(plan)}>
        It ended on <Moment at={plan.expires_at} />. Nothing is deleted; the operator can extend it.
      </Alert>
    );
  }
  if (plan.expires_at === null) return null;
  return (
    <Alert tone="info" title={plan.plan === "trial" ? "This is a trial" : "This plan has an end"}>
      It ends <Moment at={plan.expires_at} ago />, on <Moment at={plan.expires_at} />. After that everything can still
      be read, and nothing changed.
    </Alert>
  );
}
