"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Download, FileSpreadsheet, FileText } from "lucide-react";
import { Button } from "@/components/ui/button";
import { Menu, MenuContent, MenuItem, MenuLabel, MenuTrigger } from "@/components/ui/menu";
import { Spinner } from "@/components/ui/spinner";
import { sessionQueries } from "@/features/shell/queries";
import type { TableInfo } from "@/lib/api/models";
import { csvHref } from "./export";
import { useWorkbookExport } from "./use-workbook-export";

type ExportMenuProps = {
  table: TableInfo;
  filter: readonly string[];
  sort: string;
  columns: readonly string[];
};

export function ExportMenu({ table, ...shown }: ExportMenuProps) {
  const queryClient = useQueryClient();
  const workbook = useWorkbookExport();
  const choice = { table: table.name, ...shown };
  // A plain link cannot renew a session that has run out, so that is done while the menu opens.
  const renewSession = () => queryClient.refetchQueries({ queryKey: sessionQueries.me().queryKey });
  return (
    <Menu onOpenChange={(open) => open && renewSession()}>
      <MenuTrigger asChild>
        <Button size="sm">
          {workbook.busy ? <Spinner /> : <Download aria-hidden />}
          Export
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuLabel>Rows that pass the filters, columns shown</MenuLabel>
        <MenuItem asChild>
          <a href={csvHref(choice)} download>
            <FileText aria-hidden />
            CSV
          </a>
        </MenuItem>
        <MenuItem disabled={workbook.busy} onSelect={() => workbook.run(choice, table.title)}>
          <FileSpreadsheet aria-hidden />
          Excel
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
