"use client";

import { useQuery } from "@tanstack/react-query";
import { Alert } from "@/components/ui/alert";
import { BackLink } from "@/components/ui/back-link";
import { ErrorState } from "@/components/ui/error-state";
import { PageHeader } from "@/components/ui/page-header";
import { PageSkeleton } from "@/components/ui/page-skeleton";
import { humanize } from "@/lib/format/words";
import { ConnectionActions } from "./connection-actions";
import { ConnectionStatusBadge } from "./connection-status-badge";
import { ConnectionTabs } from "./connection-tabs";
import { connectionQueries } from "./queries";
import { RunningJob } from "./running-job";
import { TestResult } from "./test-result";
import { useTestConnection } from "./use-test-connection";

export function ConnectionView({ id }: { id: string }) {
  const query = useQuery(connectionQueries.detail(id));
  const test = useTestConnection(id);
  if (query.isPending) return <PageSkeleton title="Connection" />;
  const back = <BackLink href="/connections">Connections</BackLink>;
  if (query.isError && !query.data) {
    return (
      <div className="grid gap-5">
        <PageHeader title="Connection" before={back} />
        <ErrorState error={query.error} onRetry={() => query.refetch()} />
      </div>
    );
  }
  const connection = query.data;
  const showsLastError = connection.last_error && !test.data && !test.isPending;
  return (
    <div className="grid gap-5">
      <PageHeader
        title={connection.label}
        before={back}
        beside={<ConnectionStatusBadge status={connection.status} />}
        actions={<ConnectionActions connection={connection} isTesting={test.isPending} onTest={test.run} />}
      />
      {showsLastError && connection.last_error && (
        <Alert tone="danger" title={humanize(connection.last_error.code)}>
          <p>{connection.last_error.detail}</p>
          {connection.status === "needs_reauth" && <p>Replace the credentials: More actions, Edit connection.</p>}
        </Alert>
      )}
      {test.data && <TestResult result={test.data} />}
      {test.isError && <ErrorState error={test.error} onRetry={test.run} />}
      {connection.latest_job_id && <RunningJob connectionId={id} jobId={connection.latest_job_id} />}
      <ConnectionTabs connection={connection} />
    </div>
  );
}
