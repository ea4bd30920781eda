"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster } from "sonner";

// The library's own red on pink is too faint to read; these are the colours of every other alert here.
const COLORS = { "--error-bg": "var(--danger-soft)", "--error-text": "var(--danger)" };

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
