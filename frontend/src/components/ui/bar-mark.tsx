"use client";

import type { Route } from "next";
import Link from "next/link";

export type Bar = { key: string; title: string; tick: string; value: number; words: string; href: Route | null };

type BarMarkProps = {
  bar: Bar;
  left: number;
  width: number;
  top: number;
  bottom: number;
  reach: number;
  /** Where its point is, in a chart that draws points instead of bars. */
  point: number | null;
  onPoint: (bar: Bar | null) => void;
};

const GAP = 0.18;
/** What is not nothing is seen, however small beside its neighbours. */
const MIN_HEIGHT = 2;
const POINT = 3.5;

export function BarMark({ bar, left, width, top, bottom, reach, point, onPoint }: BarMarkProps) {
  if (bar.value === 0 && !bar.href) return null;
  const height = Math.max(MIN_HEIGHT, bottom - top);
  const marks = (
    <>
      <title>{bar.words}</title>
      {/* The whole slot answers to the pointer, so that a short bar is as easy to hit as a tall one. */}
      <rect
        x={`${left}%`}
        y={0}
        width={`${width}%`}
        height={reach}
        rx={3}
        className="fill-transparent group-hover/bar:fill-accent group-focus-visible/bar:fill-accent"
      />
      {point === null ? (
        <rect
          x={`${left + width * GAP}%`}
          y={bottom - height}
          width={`${width * (1 - 2 * GAP)}%`}
          height={height}
          rx={1.5}
          strokeWidth={2}
          className="fill-primary group-focus-visible/bar:stroke-foreground"
        />
      ) : (
        <circle
          cx={`${left + width / 2}%`}
          cy={point}
          r={POINT}
          strokeWidth={2}
          className="fill-primary group-focus-visible/bar:stroke-foreground"
        />
      )}
    </>
  );
  if (!bar.href) return <g>{marks}</g>;
  return (
    <Link
      href={bar.href}
      // A chart has dozens: what is behind them is fetched when one is followed.
      prefetch={false}
      aria-label={bar.words}
      // An outline would be cut off at the edge of the chart: the bar and its slot show the focus instead.
      className="group/bar outline-none"
      onMouseEnter={() => onPoint(bar)}
      onMouseLeave={() => onPoint(null)}
      onFocus={() => onPoint(bar)}
      onBlur={() => onPoint(null)}
    >
      {marks}
    </Link>
  );
}
