"use client";

import { Ellipsis } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "@/components/ui/menu";
import { useMe } from "@/features/shell/use-me";
import type { ApiKey } from "@/lib/api/models";
import { RenameApiKeyDialog } from "./rename-api-key-dialog";
import { RevokeApiKeyDialog } from "./revoke-api-key-dialog";
import { RotateApiKeyDialog } from "./rotate-api-key-dialog";

export function ApiKeyActions({ apiKey }: { apiKey: ApiKey }) {
  const { user } = useMe();
  const [open, setOpen] = useState<"rename" | "rotate" | "revoke" | null>(null);
  const close = () => setOpen(null);
  // A personal key acts as its owner, so nobody else may come to hold its secret.
  const mayRotate = apiKey.status === "active" && (apiKey.kind === "service" || apiKey.user_id === user.id);
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label={`Actions for ${apiKey.name}`}>
            <Ellipsis aria-hidden />
          </Button>
        </MenuTrigger>
        <MenuContent align="end">
          <MenuItem onSelect={() => setOpen("rename")}>Rename key</MenuItem>
          {mayRotate && <MenuItem onSelect={() => setOpen("rotate")}>Rotate secret</MenuItem>}
          {apiKey.status !== "revoked" && (
            <>
              <MenuSeparator />
              <MenuItem className="text-danger" onSelect={() => setOpen("revoke")}>
                Revoke key
              </MenuItem>
            </>
          )}
        </MenuContent>
      </Menu>
      {open === "rename" && <RenameApiKeyDialog apiKey={apiKey} onClose={close} />}
      {open === "rotate" && <RotateApiKeyDialog apiKey={apiKey} onClose={close} />}
      <RevokeApiKeyDialog apiKey={apiKey} open={open === "revoke"} onClose={close} />
    </>
  );
}
