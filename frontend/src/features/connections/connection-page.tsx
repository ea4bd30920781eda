"use client";

import { useSearchParams } from "next/navigation";
import { MissingParameter } from "@/components/ui/missing-parameter";
import { ConnectionView } from "./connection-view";

export function ConnectionPage() {
  const id = useSearchParams().get("id");
  return id ? <ConnectionView key={id} id={id} /> : <MissingParameter what="connection" href="/connections" />;
}
