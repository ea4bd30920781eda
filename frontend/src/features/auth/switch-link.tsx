"use client";

import { useEffect, useState } from "react";

/** Between log-in and register, `?next=` must survive the change of mind. A plain link: it keeps these pages small. */
export function SwitchLink({ to, children }: { to: "/login" | "/register"; children: string }) {
  const [search, setSearch] = useState("");
  // The page is prerendered without a query string, so it is read after the first paint.
  useEffect(() => setSearch(location.search), []);
  return (
    <a href={`${to}${search}`} className="text-primary underline underline-offset-4">
      {children}
    </a>
  );
}
