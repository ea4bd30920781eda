const OPEN_DEPTH = 2;

type JsonNodeProps = { name?: string; value: unknown; depth: number };

const TONES: Record<string, string> = { string: "text-success", number: "text-info", boolean: "text-warning" };

function entriesOf(value: object): [string, unknown][] {
  return Array.isArray(value) ? value.map((item, index) => [String(index), item]) : Object.entries(value);
}

function JsonNode({ name, value, depth }: JsonNodeProps) {
  const label = name === undefined ? null : <span className="text-muted-foreground">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className="break-all pl-4">
        {label}
        <span className={TONES[typeof value] ?? "text-muted-foreground"}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const entries = entriesOf(value);
  const [start, end] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  if (entries.length === 0) {
    return (
      <div className="pl-4">
        {label}
        {start}
        {end}
      </div>
    );
  }
  return (
    <details open={depth < OPEN_DEPTH} className="[&[open]>summary>span:first-child]:rotate-90">
      <summary className="min-h-6 cursor-pointer list-none rounded hover:bg-muted [&::-webkit-details-marker]:hidden">
        <span aria-hidden className="inline-block w-4 text-center text-muted-foreground transition-transform">
          ›
        </span>
        {label}
        {start}
        <span className="text-muted-foreground"> {entries.length} </span>
        {end}
      </summary>
      <div className="ml-2 border-l pl-2">
        {entries.map(([key, child]) => (
          <JsonNode key={key} name={key} value={child} depth={depth + 1} />
        ))}
      </div>
    </details>
  );
}

/** Pretty JSON whose objects and lists fold, on the platform's own disclosure element. */
export function JsonTree({ value }: { value: unknown }) {
  return (
    <div className="overflow-x-auto rounded-md border bg-card p-2 font-mono text-xs leading-5">
      <JsonNode value={value} depth={0} />
    </div>
  );
}
