"use client";

import { useState } from "react";
import { DeadLink } from "./dead-link";
import { LinkCheck } from "./link-check";
import { PasswordIsSet } from "./password-is-set";
import { ResetPasswordForm } from "./reset-password-form";
import { useLinkToken } from "./use-link-token";

type Outcome = { token: string; is: "done" | "dead" };

export function ResetPasswordPage() {
  const token = useLinkToken();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  if (token === undefined) return <LinkCheck title="Set a new password" />;
  // Only what became of this very token: a newer link opened in the same tab starts afresh.
  const is = outcome?.token === token ? outcome.is : null;
  if (is === "done") return <PasswordIsSet />;
  if (token === null || is === "dead") {
    return (
      <DeadLink
        hadToken={token !== null}
        advice="A link sets a new password once, within an hour of being mailed. Have another one mailed."
        wayOn={{ href: "/forgot-password", title: "Mail me a new link" }}
      />
    );
  }
  return (
    <ResetPasswordForm
      key={token}
      token={token}
      onDone={() => setOutcome({ token, is: "done" })}
      onDead={() => setOutcome({ token, is: "dead" })}
    />
  );
}
