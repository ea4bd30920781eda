"use client";

import Link from "next/link";
import { type ComponentProps, useState } from "react";

/**
 * A link whose page is fetched when somebody is about to follow it. The router's own default is to fetch what is behind
 * every link on the screen: with a menu and a table of links that was most of what a page loaded.
 */
export function AppLink({ onPointerEnter, onFocus, onTouchStart, ...props }: ComponentProps<typeof Link>) {
  const [isIntended, setIntended] = useState(false);
  return (
    <Link
      prefetch={isIntended ? null : false}
      onPointerEnter={(event) => {
        setIntended(true);
        onPointerEnter?.(event);
      }}
      onFocus={(event) => {
        setIntended(true);
        onFocus?.(event);
      }}
      onTouchStart={(event) => {
        setIntended(true);
        onTouchStart?.(event);
      }}
      {...props}
    />
  );
}
