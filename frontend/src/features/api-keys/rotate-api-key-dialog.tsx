"use client";

import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Spinner } from "@/components/ui/spinner";
import { FormProblem } from "@/features/auth/form-problem";
import { formErrors } from "@/lib/api/form-errors";
import type { ApiKey } from "@/lib/api/models";
import { $api } from "@/lib/api/query";
import { ApiKeySecret } from "./api-key-secret";
import { useApiKeysChanged } from "./use-api-keys";

export function RotateApiKeyDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const changed = useApiKeysChanged();
  const rotate = $api.useMutation("post", "/api/v1/api-keys/{key_id}/rotate", { onSuccess: () => void changed() });
  const { problem, rest } = formErrors(rotate.error, []);
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()}>
      <DialogContent title={rotate.data ? `The new secret of ${apiKey.name}` : `Rotate ${apiKey.name}?`}>
        {rotate.data ? (
          <ApiKeySecret secret={rotate.data.key} onClose={onClose} />
        ) : (
          <>
            <DialogBody className="grid gap-4">
              <FormProblem problem={problem} rest={rest} />
              <p>The key gets another secret and the old one is refused at once: every program that uses it stops.</p>
            </DialogBody>
            <DialogFooter>
              <Button onClick={onClose}>Keep the old secret</Button>
              <Button
                variant="danger"
                disabled={rotate.isPending}
                onClick={() => rotate.mutate({ params: { path: { key_id: apiKey.id } } })}
              >
                {rotate.isPending && <Spinner />}
                Rotate secret
              </Button>
            </DialogFooter>
          </>
        )}
      </DialogContent>
    </Dialog>
  );
}
