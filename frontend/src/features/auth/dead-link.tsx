import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { AuthCard } from "./auth-card";
import { SwitchLink } from "./switch-link";

type DeadLinkProps = {
  /** Whether there was a token at all; without one the link was cut short, or the page was loaded a second time. */
  hadToken: boolean;
  advice: string;
  wayOn: { href: "/forgot-password" | "/login"; title: string };
};

export function DeadLink({ hadToken, advice, wayOn }: DeadLinkProps) {
  return (
    <AuthCard
      title={hadToken ? "This link is not valid any more" : "This link is not complete"}
      footer={
        wayOn.href !== "/login" && (
          <>
            Nothing to do here? <SwitchLink to="/login">Log in</SwitchLink>
          </>
        )
      }
    >
      <Alert
        tone="warning"
        role="alert"
        title={hadToken ? "It was used, taken back or is too old" : "Its token is missing"}
      >
        {hadToken
          ? advice
          : "Open the link in the mail once more, whole. It is taken out of the address bar when it is read."}
      </Alert>
      <Button asChild variant="primary">
        <a href={wayOn.href}>{wayOn.title}</a>
      </Button>
    </AuthCard>
  );
}
