import { expect, test } from "vitest";
import type { Plugin } from "@/lib/api/models";
import { pluginEntries } from "./use-navigation";

const plugin = (navigation: Plugin["navigation"]) => ({ navigation }) as Plugin;

test("what plugins add comes in their order, and leads past the app unless the path is one of its pages", () => {
  const entries = pluginEntries([
    plugin([
      { title: "Scripts", path: "/netsuite/scripts" },
      { title: "All tables", path: "/tables" },
    ]),
    plugin([]),
    plugin([{ title: "Cuts", path: "/lean/cuts" }]),
  ]);
  expect(entries.map(({ title, href, isExternal }) => [title, href, isExternal])).toEqual([
    ["Scripts", "/netsuite/scripts", true],
    ["All tables", "/tables", false],
    ["Cuts", "/lean/cuts", true],
  ]);
});
