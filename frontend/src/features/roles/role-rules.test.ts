import { describe, expect, test } from "vitest";
import { whyNotGrantable } from "./role-rules";

const ADMIN = { roles: ["admin"], permissions: ["a.read", "a.manage"] };
const role = (name: string, ...permissions: string[]) => ({ name, permissions });

describe("a role", () => {
  test("within one's own permissions is offered", () =>
    expect(whyNotGrantable(role("clerk", "a.read"), ADMIN, [])).toBeNull());

  test("beyond one's own permissions is not", () =>
    expect(whyNotGrantable(role("clerk", "b.read"), ADMIN, [])).toContain("more than your own"));

  test("the member has already can be taken away", () =>
    expect(whyNotGrantable(role("clerk", "b.read"), ADMIN, ["clerk"])).toBeNull());

  test("of an owner is for owners, even to take it away", () => {
    expect(whyNotGrantable(role("owner", "a.read"), ADMIN, ["owner"])).toContain("Only owners");
    expect(whyNotGrantable(role("owner", "a.read"), { ...ADMIN, roles: ["owner"] }, [])).toBeNull();
  });
});
