import { Button } from "@/components/ui/button";
import { Spinner } from "@/components/ui/spinner";
import type { RoleDrafts } from "./use-role-drafts";

/** Its buttons stand on the left, because notifications come up on the right. */
export function MatrixSaveBar({ drafts }: { drafts: RoleDrafts }) {
  if (drafts.changed.length === 0) return null;
  return (
    <div className="sticky bottom-0 z-20 flex flex-wrap items-center gap-2 rounded-lg border bg-popover px-4 py-3 shadow-lg">
      <Button variant="primary" disabled={drafts.isSaving} onClick={() => void drafts.save()}>
        {drafts.isSaving && <Spinner />}
        Save changes
      </Button>
      <Button disabled={drafts.isSaving} onClick={drafts.discard}>
        Discard
      </Button>
      <p role="status" className="min-w-0">
        Not saved yet: {drafts.changed.map(({ title }) => title).join(", ")}
      </p>
    </div>
  );
}
