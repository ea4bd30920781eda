import { Alert } from "@/components/ui/alert";
import { Badge } from "@/components/ui/badge";
import { Card } from "@/components/ui/card";
import { CopyButton } from "@/components/ui/copy-button";
import { Definition, DefinitionList } from "@/components/ui/definition";

export function WebhookAddress({ url, isSecretSet }: { url: string; isSecretSet: boolean }) {
  return (
    <Card className="grid gap-3 p-4">
      <DefinitionList>
        <Definition term="Register this URL">
          <span className="flex items-start gap-1 font-mono text-xs">
            <span className="break-all">{url}</span>
            <CopyButton value={url} label="Copy webhook URL" />
          </span>
        </Definition>
        <Definition term="Signing secret">
          <Badge tone={isSecretSet ? "success" : "warning"}>{isSecretSet ? "Set" : "Not set"}</Badge>
        </Definition>
      </DefinitionList>
      {!isSecretSet && (
        <Alert tone="warning" title="Events are refused until a secret is set">
          Register the URL with the vendor, then enter the secret it shows: More actions, Edit connection.
        </Alert>
      )}
    </Card>
  );
}
