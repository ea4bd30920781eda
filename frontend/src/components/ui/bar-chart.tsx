"use client";

import { useEffect, useRef } from "react";
import { scaleOf, tickText } from "@/lib/scale";
import { type Bar, BarMark } from "./bar-mark";
import { LineMark } from "./line-mark";

type BarChartProps = {
  label: string;
  bars: readonly Bar[];
  onPoint: (bar: Bar | null) => void;
  /** How the bars' tops are drawn; with a line there are points instead of bars. */
  look?: "bar" | "line" | "area";
  /** For ticks that are words and not days: as many pixels as one needs, and then each is shown. */
  slotWidth?: number;
};

const PLOT = 168;
const ABOVE = 8;
const HEIGHT = PLOT + ABOVE + 24;
/** Bars are links, so none may become smaller than a finger needs: a long chart scrolls instead. */
const MIN_SLOT = 26;

const tickEvery = (count: number) => (count > 20 ? 3 : count > 8 ? 2 : 1);

/** Bars in percent across and pixels down, so that it fits any width without measuring and its text never stretches. */
export function BarChart({ label, bars, onPoint, look = "bar", slotWidth }: BarChartProps) {
  const { min, max, ticks } = scaleOf(bars.map(({ value }) => value));
  const y = (value: number) => ABOVE + PLOT - ((value - min) / (max - min)) * PLOT;
  const slot = 100 / bars.length;
  const every = slotWidth ? 1 : tickEvery(bars.length);
  const box = useRef<HTMLDivElement>(null);
  const isOverTime = slotWidth === undefined;
  const last = bars.at(-1)?.key;
  // Where not all days fit, the latest are shown first.
  useEffect(() => {
    if (last && isOverTime) box.current?.scrollTo({ left: box.current.scrollWidth });
  }, [last, isOverTime]);
  const minWidth = bars.length * Math.max(MIN_SLOT, slotWidth ?? 48 / every);
  return (
    <div className="flex">
      <svg aria-hidden width={44} height={HEIGHT} className="shrink-0 fill-muted-foreground text-xs tabular-nums">
        {ticks.map((tick) => (
          <text key={tick} x={36} y={y(tick)} textAnchor="end" dominantBaseline="middle">
            {tickText(tick)}
          </text>
        ))}
      </svg>
      <div ref={box} className="min-w-0 flex-1 overflow-x-auto overflow-y-hidden">
        {/* biome-ignore lint/a11y/useSemanticElements: a fieldset cannot be drawn in */}
        <svg role="group" aria-label={label} width="100%" height={HEIGHT} style={{ minWidth }} className="block">
          {ticks.map((tick) => (
            <line
              key={tick}
              x1="0"
              x2="100%"
              y1={y(tick)}
              y2={y(tick)}
              className={tick === 0 ? "stroke-input" : "stroke-border"}
            />
          ))}
          {look !== "bar" && (
            <LineMark
              heights={bars.map(({ value }) => y(value))}
              floor={y(0)}
              reach={ABOVE + PLOT}
              isFilled={look === "area"}
            />
          )}
          {bars.map((bar, index) => (
            <BarMark
              key={bar.key}
              bar={bar}
              left={index * slot}
              width={slot}
              top={y(Math.max(0, bar.value))}
              bottom={y(Math.min(0, bar.value))}
              reach={ABOVE + PLOT}
              point={look === "bar" ? null : y(bar.value)}
              onPoint={onPoint}
            />
          ))}
          {bars.map(
            (bar, index) =>
              index % every === 0 && (
                <text
                  key={bar.key}
                  aria-hidden
                  // The first of narrow slots has no room for half its words on the left.
                  x={index === 0 && every > 1 ? 0 : `${(index + 0.5) * slot}%`}
                  y={HEIGHT - 5}
                  textAnchor={index === 0 && every > 1 ? "start" : "middle"}
                  className="fill-muted-foreground text-xs tabular-nums"
                >
                  {bar.tick}
                </text>
              ),
          )}
        </svg>
      </div>
    </div>
  );
}
