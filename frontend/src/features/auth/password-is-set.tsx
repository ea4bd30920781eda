import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { AuthCard } from "./auth-card";

export function PasswordIsSet() {
  return (
    <AuthCard title="Your password is set" footer={null}>
      <Alert tone="success" role="status" title="The new password works from now on">
        You are logged out everywhere. Log in with the new password.
      </Alert>
      <Button asChild variant="primary">
        <a href="/login">Log in</a>
      </Button>
    </AuthCard>
  );
}
