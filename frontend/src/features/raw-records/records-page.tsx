"use client";

import { useSearchParams } from "next/navigation";
import { MissingParameter } from "@/components/ui/missing-parameter";
import { RecordsView } from "./records-view";

export function RecordsPage() {
  const given = useSearchParams();
  const [connectionId, stream] = [given.get("id"), given.get("stream")];
  if (!connectionId || !stream) return <MissingParameter what="stream" href="/connections" />;
  return <RecordsView key={`${connectionId} ${stream}`} where={{ connectionId, stream }} />;
}
