"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster } from "sonner";

// Its own green is too pale to read on its own background; ours are measured in both themes.
const COLORS = {
  "--success-bg": "var(--success-soft)",
  "--success-text": "var(--success)",
  "--error-bg": "var(--danger-soft)",
  "--error-text": "var(--danger)",
} as CSSProperties;

export function Notifications() {
  const { resolvedTheme } = useTheme();
  return (
    <Toaster
      theme={resolvedTheme === "dark" ? "dark" : "light"}
      position="bottom-right"
      closeButton
      richColors
      style={COLORS}
    />
  );
}
