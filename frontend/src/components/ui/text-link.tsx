import Link from "next/link";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export function TextLink({ className, ...props }: ComponentProps<typeof Link>) {
  return (
    <Link
      className={cn(
        "text-primary underline decoration-primary/40 underline-offset-4 hover:decoration-primary",
        className,
      )}
      {...props}
    />
  );
}
