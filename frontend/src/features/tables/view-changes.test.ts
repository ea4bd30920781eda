import { expect, test } from "vitest";
import type { SavedView } from "@/lib/api/models";
import { isChanged } from "./view-changes";

const VIEW: SavedView = {
  id: "0192f0c1-2345-7abc-8def-0123456789ab",
  table: "payments",
  name: "Large",
  owner_id: "0192f0c1-2345-7abc-8def-0123456789ac",
  mine: true,
  shared: false,
  filters: ["status:in:failed", "amount:gte:100"],
  sort: null,
  columns: null,
  chart: null,
  version: 1,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
};
const SHOWN = { filters: ["amount:gte:100", "status:in:failed"], sort: "-created", columns: ["amount", "status"] };

const changed = (view: Partial<SavedView>, shown: Partial<typeof SHOWN>) =>
  isChanged({ ...VIEW, ...view }, { ...SHOWN, ...shown }, "-created", ["status", "amount"]);

test("a view that keeps nothing of its own is the table's own choice", () => {
  expect(changed({}, {})).toBe(false);
  expect(changed({ sort: "-created", columns: ["amount", "status"] }, {})).toBe(false);
});

test("another filter, order or column is a change", () => {
  expect(changed({}, { filters: ["status:in:failed"] })).toBe(true);
  expect(changed({}, { sort: "amount" })).toBe(true);
  expect(changed({ columns: ["amount"] }, {})).toBe(true);
});
