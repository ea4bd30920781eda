import type { InvitationPreview } from "@/lib/api/models";

export function InvitationFacts({ preview }: { preview: InvitationPreview }) {
  return (
    <p className="text-muted-foreground">
      <strong className="font-medium text-foreground">{preview.invited_by ?? "Somebody"}</strong> invites you to{" "}
      <strong className="font-medium text-foreground">{preview.tenant_name}</strong> as{" "}
      <strong className="font-medium text-foreground">{preview.roles.join(", ")}</strong>.
    </p>
  );
}
