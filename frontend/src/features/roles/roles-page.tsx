"use client";

import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/page-header";
import { useMay } from "@/features/shell/use-may";
import { CreateRoleDialog } from "./create-role-dialog";
import { RoleMatrix } from "./role-matrix";

export function RolesPage() {
  const mayManage = useMay("roles.manage");
  const [isCreating, setCreating] = useState(false);
  return (
    <div className="grid gap-5">
      <PageHeader
        title="Roles"
        description="What each role permits. Built-in roles are the same everywhere; your own can be changed here."
        actions={
          mayManage && (
            <Button variant="primary" onClick={() => setCreating(true)}>
              <Plus aria-hidden />
              Create role
            </Button>
          )
        }
      />
      <RoleMatrix />
      {isCreating && <CreateRoleDialog onClose={() => setCreating(false)} />}
    </div>
  );
}
