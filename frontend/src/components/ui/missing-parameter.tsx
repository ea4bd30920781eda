import { SearchX } from "lucide-react";
import type { Route } from "next";
import { EmptyState } from "./empty-state";
import { TextLink } from "./text-link";

export function MissingParameter({ what, href }: { what: string; href: Route }) {
  return (
    <>
      <h1 className="sr-only">No {what} chosen</h1>
      <EmptyState icon={SearchX} title={`This address names no ${what}`}>
        <TextLink href={href}>Choose one from the list</TextLink>
      </EmptyState>
    </>
  );
}
