import { expect, test } from "vitest";
import { csvHref } from "./export";

test("an export asks for what is on the screen", () => {
  const href = csvHref({
    table: "payments",
    filter: ["status:in:failed,canceled", "description:contains:a&b"],
    sort: "-amount",
    columns: ["status", "amount"],
  });
  const [path, query] = href.split("?");
  const asked = new URLSearchParams(query);
  expect(path).toBe("/api/v1/tables/payments/export.csv");
  expect(asked.getAll("filter")).toEqual(["status:in:failed,canceled", "description:contains:a&b"]);
  expect(asked.get("sort")).toBe("-amount");
  expect(asked.get("columns")).toBe("status,amount");
});
