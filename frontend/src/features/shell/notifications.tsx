"use client";

import { useTheme } from "next-themes";
import type { CSSProperties } from "react";
import { Toaster } from "sonner";

// The library's own green on green is too faint to read, and its font is not ours.
const LOOK = {
  fontFamily: "inherit",
  "--success-text": "var(--success)",
  "--success-bg": "var(--success-soft)",
  "--error-text": "var(--danger)",
  "--error-bg": "var(--danger-soft)",
} as CSSProperties;

export function Notifications() {
  const { resolvedTheme } = useTheme();
  const theme = resolvedTheme === "dark" ? "dark" : "light";
  return <Toaster theme={theme} position="bottom-right" closeButton richColors style={LOOK} />;
}
