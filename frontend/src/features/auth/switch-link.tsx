"use client";

import { useEffect, useState } from "react";

type SwitchLinkProps = { to: "/login" | "/register" | "/forgot-password"; children: string };

/** Among these pages, `?next=` must survive the change of mind. A plain link: it keeps them small. */
export function SwitchLink({ to, children }: SwitchLinkProps) {
  const [search, setSearch] = useState("");
  // The page is prerendered without a query string, so it is read after the first paint.
  useEffect(() => setSearch(location.search), []);
  return (
    <a href={`${to}${search}`} className="text-primary underline underline-offset-4">
      {children}
    </a>
  );
}
