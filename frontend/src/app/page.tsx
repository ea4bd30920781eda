import { HomeRedirect } from "@/features/auth/home-redirect";

export default function Page() {
  return <HomeRedirect />;
}
