"use client";

import { useRouter } from "next/navigation";
import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { Spinner } from "@/components/ui/spinner";
import type { Connection, Provider } from "@/lib/api/models";
import { EditConnectionStep } from "./edit-connection-step";
import { TestResult } from "./test-result";
import { useSyncConnection } from "./use-sync-connection";
import { useTestConnection } from "./use-test-connection";

type VerifyStepProps = { provider: Provider; connection: Connection; onClose: () => void };

export function VerifyStep({ provider, connection, onClose }: VerifyStepProps) {
  const router = useRouter();
  const [isEditing, setEditing] = useState(false);
  const test = useTestConnection(connection.id);
  const { sync, isPending: isSyncing } = useSyncConnection(connection.id);

  const hasRun = useRef(false);
  const { run } = test;
  useEffect(() => {
    // Strict mode mounts twice in development; the vendor should be asked once.
    if (hasRun.current) return;
    hasRun.current = true;
    run();
  }, [run]);

  if (isEditing) {
    return (
      <EditConnectionStep
        provider={provider}
        connection={connection}
        startWithCredentials
        onCancel={() => setEditing(false)}
        onSaved={() => {
          setEditing(false);
          run();
        }}
      />
    );
  }

  const view = () => router.push(`/connections/view?id=${connection.id}`);
  return (
    <>
      <DialogBody className="grid gap-3">
        {test.isPending || test.isIdle ? (
          <p role="status" className="flex items-center gap-2 text-muted-foreground">
            <Spinner />
            Asking {provider.title}…
          </p>
        ) : test.isError ? (
          <ErrorState error={test.error} onRetry={run} />
        ) : (
          <TestResult result={test.data} />
        )}
      </DialogBody>
      <DialogFooter>
        <Button onClick={onClose}>Done</Button>
        {test.data && !test.data.ok && (
          <>
            <Button onClick={() => setEditing(true)}>Edit credentials</Button>
            <Button variant="primary" onClick={run}>
              Test again
            </Button>
          </>
        )}
        {test.data?.ok && (
          <Button variant="primary" disabled={isSyncing} onClick={() => sync().then(view, () => undefined)}>
            {isSyncing && <Spinner />}
            Sync now
          </Button>
        )}
      </DialogFooter>
    </>
  );
}
