import { describe, expect, test } from "vitest";
import { deviceName } from "./device";

const MOZILLA = "Mozilla/5.0";

describe("a device", () => {
  test.each([
    [
      `${MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36`,
      "Chrome on Linux",
    ],
    [
      `${MOZILLA} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0`,
      "Edge on Windows",
    ],
    [
      `${MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15`,
      "Safari on macOS",
    ],
    [
      `${MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/140.0 Mobile Safari/604.1`,
      "Chrome on iPhone",
    ],
    [`${MOZILLA} (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0`, "Firefox on Android"],
    ["curl/8.5.0", "curl"],
    ["acme-books/2", "acme-books/2"],
    [null, "Unknown device"],
  ])("that says %j is %j", (agent, name) => expect(deviceName(agent)).toBe(name));
});
