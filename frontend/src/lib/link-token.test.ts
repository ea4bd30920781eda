import { describe, expect, test } from "vitest";
import { linkToken } from "./link-token";

describe("the token of a mailed link", () => {
  test.each([
    ["#token=aB3_-x", "aB3_-x"],
    ["#token=aB3_-x&utm_source=mail", "aB3_-x"],
    ["#token=", null],
    ["#", null],
    ["", null],
    ["#token", null],
    ["#other=1", null],
  ])("in %j is %j", (hash, token) => expect(linkToken(hash)).toBe(token));
});
