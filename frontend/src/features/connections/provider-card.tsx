import { Lock } from "lucide-react";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { TextLink } from "@/components/ui/text-link";
import type { Provider } from "@/lib/api/models";
import { inPlanWords } from "@/lib/plan-words";

export function ProviderCard({ provider, onChoose }: { provider: Provider; onChoose: (provider: Provider) => void }) {
  return (
    <li className="flex flex-col gap-2 rounded-lg border bg-card p-4">
      <div className="flex items-start gap-3">
        <span
          aria-hidden
          className="grid size-8 shrink-0 place-content-center rounded-md bg-muted font-semibold text-muted-foreground"
        >
          {provider.title.charAt(0)}
        </span>
        <div className="min-w-0 flex-1">
          <h3 className="font-medium">{provider.title}</h3>
          <p className="text-data text-muted-foreground">{provider.description}</p>
        </div>
      </div>
      {provider.streams.length > 0 && (
        <p className="flex flex-wrap gap-1">
          {provider.streams.map((stream) => (
            <Badge key={stream.name}>{stream.title}</Badge>
          ))}
        </p>
      )}
      <div className="mt-auto pt-1">
        {provider.available ? (
          <Button size="sm" onClick={() => onChoose(provider)}>
            Connect {provider.title}
          </Button>
        ) : (
          <div className="flex gap-1.5 text-data text-muted-foreground">
            <Lock aria-hidden className="mt-0.5 size-3.5 shrink-0" />
            <p>
              {inPlanWords(provider.unavailable_reason ?? "Not available here.")}{" "}
              {provider.unavailable_code === "plugin_disabled" && <TextLink href="/plugins">Go to plugins</TextLink>}
              {provider.unavailable_code === "entitlement_required" && (
                <TextLink href="/settings">See your plan</TextLink>
              )}
            </p>
          </div>
        )}
      </div>
    </li>
  );
}
