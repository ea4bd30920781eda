import type { Tone } from "@/components/ui/badge";
import type { AuditOutcome } from "@/lib/api/models";

export const OUTCOME: Record<AuditOutcome, { title: string; tone: Tone }> = {
  ok: { title: "Done", tone: "success" },
  denied: { title: "Denied", tone: "warning" },
  error: { title: "Failed", tone: "danger" },
};
