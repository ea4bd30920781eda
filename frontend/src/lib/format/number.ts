const MINUS = "−";

/** Groups thousands of a decimal string. Strings all the way: money never passes through a float. */
export function formatDecimal(value: string): string {
  const match = /^([+-]?)(\d+)(\.\d+)?$/.exec(value.trim());
  if (!match) return value;
  const [, sign, whole = "", fraction = ""] = match;
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign === "-" ? MINUS : ""}${grouped}${fraction}`;
}

export const isNegative = (value: string) => value.trim().startsWith("-");

const counts = new Intl.NumberFormat("en");
export const formatCount = (value: number) => counts.format(value);
