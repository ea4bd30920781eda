import Link from "next/link";
import { cn } from "@/lib/cn";
import type { NavigationItem } from "./navigation";

type NavLinkProps = { item: NavigationItem; isCurrent: boolean; onNavigate: (() => void) | undefined };

export function NavLink({ item: { href, title, icon: Icon }, isCurrent, onNavigate }: NavLinkProps) {
  return (
    <Link
      href={href}
      {...(onNavigate && { onClick: onNavigate })}
      aria-current={isCurrent ? "page" : undefined}
      className={cn(
        "flex h-8 items-center gap-2.5 rounded-md px-2.5",
        isCurrent
          ? "bg-accent font-medium text-foreground"
          : "text-muted-foreground hover:bg-accent hover:text-foreground",
      )}
    >
      <Icon aria-hidden className="size-4" />
      {title}
    </Link>
  );
}
