"use client";

import { useRef, useState } from "react";
import { client } from "@/lib/api/client";
import { toApiError } from "@/lib/api/problem";
import { HOME } from "@/lib/safe-next";
import { tellOtherTabs } from "@/lib/session-channel";

export type Newcomer = { email: string; password: string; full_name: string };
/** As who is signed in, or as a newcomer; leads into the tenant. */
export type Join = (newcomer: Newcomer | null) => Promise<void>;

export function useJoin(token: string) {
  const [isDead, setDead] = useState(false);
  // Where the link is spent but the way into the tenant failed, a second try must only go there.
  const joined = useRef<string | null>(null);

  async function accept(newcomer: Newcomer | null): Promise<boolean> {
    const { data } = await client.POST("/api/v1/auth/invitations/accept", { body: { token, ...newcomer } });
    joined.current = data?.tenant.id ?? null;
    return Boolean(data?.session);
  }

  const join: Join = async (newcomer) => {
    try {
      const isThere = joined.current === null && (await accept(newcomer));
      if (!isThere && joined.current !== null) {
        await client.POST("/api/v1/auth/switch-tenant", { body: { tenant_id: joined.current } });
      }
      tellOtherTabs();
      // A full navigation: whatever the app kept in memory belongs to the session before.
      location.assign(HOME);
    } catch (error) {
      if (toApiError(error).code === "link_invalid") setDead(true);
      throw error;
    }
  };
  return { join, isDead };
}
