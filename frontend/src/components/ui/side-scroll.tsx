"use client";

import { type ComponentProps, useCallback, useEffect, useRef, useState } from "react";
import { cn } from "@/lib/cn";

/** A region that scrolls sideways where it must, with a shadow at the edge behind which there is more. */
export function SideScroll({ className, children, ...props }: ComponentProps<"section">) {
  const box = useRef<HTMLElement>(null);
  const [edges, setEdges] = useState({ left: false, right: false });
  const look = useCallback(() => {
    const { current } = box;
    if (!current) return;
    const left = current.scrollLeft > 1;
    const right = current.scrollLeft + current.clientWidth < current.scrollWidth - 1;
    setEdges((known) => (known.left === left && known.right === right ? known : { left, right }));
  }, []);
  useEffect(() => {
    const { current } = box;
    if (!current || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(look);
    for (const one of [current, ...current.children]) observer.observe(one);
    return () => observer.disconnect();
  }, [look]);
  return (
    <div className="relative min-w-0">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section ref={box} tabIndex={0} onScroll={look} className={cn("relative overflow-x-auto", className)} {...props}>
        {children}
      </section>
      <div
        aria-hidden
        data-left={edges.left}
        data-right={edges.right}
        className="side-shadow pointer-events-none absolute inset-px rounded-lg"
      />
    </div>
  );
}
