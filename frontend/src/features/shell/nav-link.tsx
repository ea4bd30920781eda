import { AppLink } from "@/components/ui/app-link";
import { cn } from "@/lib/cn";
import type { NavigationEntry } from "./navigation";

type NavLinkProps = { item: NavigationEntry; isCurrent: boolean; onNavigate: (() => void) | undefined };

export function NavLink({ item: { href, title, icon: Icon, isExternal }, isCurrent, onNavigate }: NavLinkProps) {
  const Anchor = isExternal ? "a" : AppLink;
  return (
    <Anchor
      href={href}
      {...(onNavigate && { onClick: onNavigate })}
      aria-current={isCurrent ? "page" : undefined}
      className={cn(
        "flex min-h-8 items-center gap-2.5 rounded-md px-2.5 py-1.5",
        isCurrent
          ? "bg-accent font-medium text-foreground"
          : "text-muted-foreground hover:bg-accent hover:text-foreground",
      )}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      <span className="min-w-0 break-words">{title}</span>
    </Anchor>
  );
}
