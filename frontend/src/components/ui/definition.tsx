import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

/** `wide` puts two pairs beside each other where there is room. */
export function DefinitionList({ wide = false, children }: { wide?: boolean; children: ReactNode }) {
  const columns = wide ? "lg:grid-cols-[minmax(7rem,auto)_1fr_minmax(7rem,auto)_1fr]" : "";
  return (
    <dl className={cn("grid grid-cols-[minmax(7rem,auto)_1fr] gap-x-6 gap-y-2 text-data tabular-nums", columns)}>
      {children}
    </dl>
  );
}

export function Definition({ term, children }: { term: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-muted-foreground">{term}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  );
}
