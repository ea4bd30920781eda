import { DeadLink } from "./dead-link";

export function DeadInvitation({ hadToken }: { hadToken: boolean }) {
  return (
    <DeadLink
      hadToken={hadToken}
      advice="An invitation works once, for a week, and can be taken back. If you have accepted it already, log in. Otherwise ask whoever invited you for another one."
      wayOn={{ href: "/login", title: "Log in" }}
    />
  );
}
