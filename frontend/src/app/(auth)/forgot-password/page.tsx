import type { Metadata } from "next";
import { ForgotPasswordForm } from "@/features/auth/forgot-password-form";

export const metadata: Metadata = { title: "Forgot your password" };

export default function Page() {
  return <ForgotPasswordForm />;
}
