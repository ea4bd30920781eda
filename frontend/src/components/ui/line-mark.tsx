type LineMarkProps = { heights: readonly number[]; floor: number; reach: number; isFilled: boolean };

/** The line through the middles of the slots. Its own coordinates stretch with the chart; its stroke does not. */
export function LineMark({ heights, floor, reach, isFilled }: LineMarkProps) {
  const slot = 100 / heights.length;
  const middle = (index: number) => (index + 0.5) * slot;
  const line = heights.map((height, index) => `${middle(index)},${height}`).join(" ");
  return (
    <svg
      aria-hidden
      x={0}
      y={0}
      width="100%"
      height={reach}
      viewBox={`0 0 100 ${reach}`}
      preserveAspectRatio="none"
      className="pointer-events-none"
    >
      {isFilled && (
        <polygon
          points={`${middle(0)},${floor} ${line} ${middle(heights.length - 1)},${floor}`}
          className="fill-primary/20"
        />
      )}
      <polyline
        points={line}
        fill="none"
        strokeWidth={2}
        vectorEffect="non-scaling-stroke"
        className="stroke-primary"
      />
    </svg>
  );
}
