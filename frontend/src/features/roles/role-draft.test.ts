import { describe, expect, test } from "vitest";
import type { Permission, Role } from "@/lib/api/models";
import { groupByWord, permissionsOf, toggled } from "./role-draft";

const ROLE: Role = {
  id: "r1",
  name: "treasury",
  title: "Treasury",
  description: "",
  built_in: false,
  permissions: ["tables.read", "jobs.read"],
  created_at: null,
  updated_at: null,
  version: 1,
};

describe("a draft of a role", () => {
  test("adds and takes away", () => {
    const drafts = toggled(toggled({}, ROLE, "audit.read"), ROLE, "jobs.read");
    expect(permissionsOf(ROLE, drafts)).toEqual(["tables.read", "audit.read"]);
  });

  test("that is what is saved already is none", () => {
    const drafts = toggled(toggled({}, ROLE, "jobs.read"), ROLE, "jobs.read");
    expect(drafts).toEqual({});
    expect(permissionsOf(ROLE, drafts)).toBe(ROLE.permissions);
  });

  test("keeps the version it was begun on", () => {
    const begun = toggled({}, ROLE, "audit.read");
    const newest = { ...ROLE, permissions: ["tables.read"], version: 2 };
    expect(toggled(begun, newest, "tables.read")).toEqual({
      r1: { permissions: ["jobs.read", "audit.read"], version: 1 },
    });
  });

  test("is never made of a built-in role", () =>
    expect(toggled({}, { ...ROLE, id: null, built_in: true }, "audit.read")).toEqual({}));
});

test("permissions are grouped by their first word", () => {
  const permission = (name: string): Permission => ({ name, description: "", plugin: null, held: true });
  const groups = groupByWord([permission("jobs.read"), permission("tables.read"), permission("jobs.cancel")]);
  expect(groups.map(({ word, permissions }) => [word, permissions.length])).toEqual([
    ["jobs", 2],
    ["tables", 1],
  ]);
});
