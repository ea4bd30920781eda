import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";
import { AppLink } from "./app-link";

export function TextLink({ className, ...props }: ComponentProps<typeof AppLink>) {
  return (
    <AppLink
      className={cn(
        "text-primary underline decoration-primary/40 underline-offset-4 hover:decoration-primary",
        className,
      )}
      {...props}
    />
  );
}
