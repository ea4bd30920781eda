"use client";

import { useEffect, useState } from "react";
import { linkToken } from "@/lib/link-token";

/**
 * The token of the link this page was opened with: undefined before it is read, null if there is none. It is taken out
 * of the address bar, so that it stays in no history, bookmark or screenshot.
 */
export function useLinkToken(): string | null | undefined {
  const [token, setToken] = useState<string | null | undefined>(undefined);
  useEffect(() => {
    const take = () => {
      const found = linkToken(location.hash);
      if (found) history.replaceState(null, "", location.pathname + location.search);
      // A read that finds nothing comes after the one that took the token, and must not lose it.
      setToken((current) => found ?? current ?? null);
    };
    take();
    // Another link pasted into the same tab changes only the fragment, and loads nothing.
    addEventListener("hashchange", take);
    return () => removeEventListener("hashchange", take);
  }, []);
  return token;
}
