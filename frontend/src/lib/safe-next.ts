import type { Route } from "next";

export const HOME: Route = "/dashboard";

// Where nobody who has just signed in wants to go. The links that open the last two work once and lead on by themselves.
const SIGN_IN_PAGES = ["/login", "/register", "/forgot-password", "/reset-password", "/accept-invitation"];

/** Only a path on this origin may follow a sign-in: anything else would make the page an open redirect. */
export function safeNext(next: string | null | undefined, origin: string): Route {
  if (!next?.startsWith("/") || next.startsWith("//") || /[\\\p{Cc}]/u.test(next)) return HOME;
  const url = URL.canParse(next, origin) ? new URL(next, origin) : null;
  // "/.//evil.example" is on this origin; its path by itself, "//evil.example", is not.
  if (url?.origin !== origin || url.pathname.startsWith("//")) return HOME;
  return SIGN_IN_PAGES.includes(url.pathname) ? HOME : (`${url.pathname}${url.search}${url.hash}` as Route);
}

export function loginPath(location: Pick<Location, "pathname" | "search">): string {
  const here = location.pathname + location.search;
  return here === "/" ? "/login" : `/login?next=${encodeURIComponent(here)}`;
}
