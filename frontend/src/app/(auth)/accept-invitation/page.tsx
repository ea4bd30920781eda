import type { Metadata } from "next";
import { AcceptInvitationPage } from "@/features/auth/accept-invitation-page";

export const metadata: Metadata = { title: "Accept an invitation" };

export default function Page() {
  return <AcceptInvitationPage />;
}
