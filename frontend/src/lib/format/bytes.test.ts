import { expect, test } from "vitest";
import { formatBytes } from "./bytes";

test.each([
  [0, "0 bytes"],
  [999, "999 bytes"],
  [1_500, "1.5 KB"],
  [5_000_000_000, "5 GB"],
])("%d bytes read %j", (count, shown) => expect(formatBytes(count)).toBe(shown));
