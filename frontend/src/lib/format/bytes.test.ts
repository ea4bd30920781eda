import { expect, test } from "vitest";
import { formatBytes } from "./bytes";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KB"],
  [123_456, "123 KB"],
  [2_500_000, "2.5 MB"],
])("%d bytes read %j", (bytes, text) => expect(formatBytes(bytes)).toBe(text));
