const CATEGORIES = [
  "api_key",
  "audit_events",
  "audit_month",
  "connection",
  "cursor",
  "evidence",
  "invitation",
  "job",
  "plugin",
  "request",
  "role",
  "schema_notice",
  "session",
  "table",
  "tenant",
  "user",
  "webhook",
];

/** Suggestions only: a plugin's actions bring categories of their own. */
export function CategoryOptions({ id }: { id: string }) {
  return (
    <datalist id={id}>
      {CATEGORIES.map((category) => (
        <option key={category} value={category} />
      ))}
    </datalist>
  );
}
