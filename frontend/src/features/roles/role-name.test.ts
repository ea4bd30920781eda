import { expect, test } from "vitest";
import { suggestRoleName } from "./role-name";

test.each([
  ["Accounts payable", "accounts_payable"],
  ["2nd line & audit", "nd_line_and_audit"],
  ["", ""],
])("a role of the title %j is named %j", (title, name) => expect(suggestRoleName(title)).toBe(name));
