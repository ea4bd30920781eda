"use client";

import { Webhook } from "lucide-react";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { LoadMore } from "@/components/ui/load-more";
import { TableSkeleton } from "@/components/ui/table-skeleton";
import { ReceiptsTable } from "./receipts-table";
import { useWebhooks } from "./use-webhooks";
import { WebhookAddress } from "./webhook-address";

export function WebhookSection({ connectionId }: { connectionId: string }) {
  const webhooks = useWebhooks(connectionId);
  if (webhooks.isPending) return <TableSkeleton rows={4} />;
  if (webhooks.isError && !webhooks.data) {
    return <ErrorState error={webhooks.error} onRetry={() => webhooks.refetch()} />;
  }
  const [first] = webhooks.data.pages;
  const receipts = webhooks.data.pages.flatMap((page) => page.items);
  if (!first?.supported) {
    return <EmptyState icon={Webhook} title="This kind of connection understands no webhooks" />;
  }
  return (
    <div className="grid gap-4">
      {first.url && <WebhookAddress url={first.url} isSecretSet={first.secret_set} />}
      {receipts.length > 0 ? (
        <ReceiptsTable receipts={receipts} />
      ) : (
        <EmptyState icon={Webhook} title="No event has arrived">
          Only events whose signature could be proven are kept.
        </EmptyState>
      )}
      <LoadMore pages={webhooks} />
    </div>
  );
}
