import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import type { Plan } from "@/lib/api/models";
import { featureTitle } from "@/lib/plan-words";
import { PlanExpiry } from "./plan-expiry";
import { QuotaMeter } from "./quota-meter";

export function PlanCard({ plan }: { plan: Plan }) {
  const included = plan.features.filter((feature) => feature.included);
  const missing = plan.features.filter((feature) => !feature.included);
  return (
    <Card className="grid max-w-2xl gap-5 p-4">
      <p className="font-semibold text-base">{plan.title}</p>
      <PlanExpiry plan={plan} />
      <ul className="grid gap-4">
        {plan.quotas.map((quota) => (
          <QuotaMeter key={quota.name} quota={quota} />
        ))}
      </ul>
      {included.length > 0 && (
        <p className="flex flex-wrap items-center gap-1 text-data text-muted-foreground">
          Includes
          {included.map(({ name }) => (
            <Badge key={name} tone="success">
              {featureTitle(name)}
            </Badge>
          ))}
        </p>
      )}
      {missing.length > 0 && (
        <p className="flex flex-wrap items-center gap-1 text-data text-muted-foreground">
          Does not include
          {missing.map(({ name }) => (
            <Badge key={name}>{featureTitle(name)}</Badge>
          ))}
        </p>
      )}
    </Card>
  );
}
