import type { ErrorSchema } from "@rjsf/utils";
import { type ApiError, fieldPath } from "@/lib/api/problem";

type Data = Record<string, unknown>;
type Node = { __errors?: string[] } & { [key: string]: Node | string[] | undefined };

/** Puts the server's field errors beside the fields; what fits no section of the form is returned apart. */
export function toExtraErrors(
  problem: ApiError,
  sections: readonly string[],
): { tree: ErrorSchema<Data>; rest: string[] } {
  const tree: Node = {};
  const rest: string[] = [];
  for (const { path, message } of problem.errors) {
    const parts = fieldPath(path);
    const [section] = parts;
    if (!section || !sections.includes(section)) {
      rest.push(message);
      continue;
    }
    let node = tree;
    for (const part of parts) {
      const child = (node[part] as Node | undefined) ?? {};
      node[part] = child;
      node = child;
    }
    node.__errors = [...(node.__errors ?? []), message];
  }
  return { tree: tree as ErrorSchema<Data>, rest };
}
