import { Alert } from "@/components/ui/alert";
import type { ConnectionTest } from "@/lib/api/models";

export function TestResult({ result }: { result: ConnectionTest }) {
  if (result.ok) {
    return (
      <Alert tone="success" role="status" title="The vendor accepted the credentials">
        {result.account && (
          <p>
            {result.account.label} <span className="font-mono text-xs">{result.account.id}</span>
          </p>
        )}
        <p className="text-muted-foreground text-xs">Answered in {result.duration_ms} ms</p>
      </Alert>
    );
  }
  return (
    <Alert tone="danger" role="alert" title="The test failed">
      <p>{result.error?.detail ?? "The vendor gave no reason."}</p>
      {result.error && <p className="font-mono text-muted-foreground text-xs">{result.error.code}</p>}
    </Alert>
  );
}
