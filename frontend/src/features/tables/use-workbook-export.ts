"use client";

import { useState } from "react";
import { toast } from "sonner";
import { toApiError } from "@/lib/api/problem";
import { type ExportChoice, fetchWorkbook, saveFile } from "./export";

export function useWorkbookExport() {
  const [busy, setBusy] = useState(false);
  const run = async (choice: ExportChoice, title: string) => {
    setBusy(true);
    const id = toast.loading(`Writing ${title} as an Excel workbook…`);
    try {
      const { content, name } = await fetchWorkbook(choice);
      saveFile(content, name);
      toast.success(`${name} is saved`, { id });
    } catch (error) {
      const problem = toApiError(error);
      const advice = problem.code === "too_many_rows" ? " Narrow the filters, or export CSV, which has no limit." : "";
      toast.error(problem.title, { id, description: problem.message + advice });
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}
