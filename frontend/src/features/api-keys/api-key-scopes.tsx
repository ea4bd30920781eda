import { plural } from "@/lib/format/words";

const SHOWN = 3;

/** A few at a glance; many fold behind the platform's own disclosure. */
export function ApiKeyScopes({ scopes }: { scopes: readonly string[] }) {
  const list = (
    <ul className="font-mono text-xs">
      {scopes.map((scope) => (
        <li key={scope}>{scope}</li>
      ))}
    </ul>
  );
  if (scopes.length <= SHOWN) return list;
  return (
    <details>
      <summary className="w-fit cursor-pointer">
        {scopes.length} {plural(scopes.length, "permission")}
      </summary>
      {list}
    </details>
  );
}
