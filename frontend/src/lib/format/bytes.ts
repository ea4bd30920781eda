const UNITS = ["bytes", "KB", "MB", "GB", "TB", "PB"] as const;
const STEP = 1000;
const decimals = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function formatBytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return `${decimals.format(value)} ${UNITS[unit]}`;
}
