import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { DialogBody, DialogFooter } from "@/components/ui/dialog";
import { ShownOnce } from "@/components/ui/shown-once";

export function ApiKeySecret({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <>
      <DialogBody className="grid gap-4">
        <Alert tone="warning" role="status" title="This key is shown once">
          Keep it where the program finds it, and nowhere else. Nobody can see it again; if it is lost, rotate it.
        </Alert>
        <ShownOnce label="API key" value={secret} />
      </DialogBody>
      <DialogFooter>
        <Button variant="primary" onClick={onClose}>
          I have kept it
        </Button>
      </DialogFooter>
    </>
  );
}
