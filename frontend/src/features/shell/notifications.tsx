"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster } from "sonner";

// The library's own red on pink and green on green are too faint to read; these are the colours of every other alert.
const COLORS = Object.fromEntries(
  Object.entries({ success: "success", info: "info", warning: "warning", error: "danger" }).flatMap(([type, tone]) => [
    [`--${type}-bg`, `var(--${tone}-soft)`],
    [`--${type}-text`, `var(--${tone})`],
  ]),
);

export function Notifications() {
  const { resolvedTheme } = useTheme();
  return (
    <Toaster
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      closeButton
      richColors
      style={COLORS as CSSProperties}
    />
  );
}
