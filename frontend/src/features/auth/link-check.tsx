import { Spinner } from "@/components/ui/spinner";
import { AuthCard } from "./auth-card";

/** While a link is being looked at, with the card's own frame, so that little moves when the answer is there. */
export function LinkCheck({ title }: { title: string }) {
  return (
    <AuthCard title={title} footer={null}>
      <p role="status" className="flex items-center gap-2 text-muted-foreground">
        <Spinner />
        Looking at the link…
      </p>
    </AuthCard>
  );
}
