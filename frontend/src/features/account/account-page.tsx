"use client";

import { PageHeader } from "@/components/ui/page-header";
import { AccountSection } from "./account-section";
import { PasswordForm } from "./password-form";
import { ProfileForm } from "./profile-form";
import { SessionsSection } from "./sessions-section";

export function AccountPage() {
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Account"
        description="Your own name, password and sessions. They are the same in every company."
      />
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <AccountSection id="profile" title="Profile">
          <ProfileForm />
        </AccountSection>
        <AccountSection id="password" title="Password">
          <PasswordForm />
        </AccountSection>
      </div>
      <SessionsSection />
    </div>
  );
}
