"use client";

import { usePathname } from "next/navigation";
import { NavLink } from "./nav-link";
import { useNavigation } from "./use-navigation";

export function NavLinks({ onNavigate }: { onNavigate?: () => void }) {
  const pathname = usePathname();
  const groups = useNavigation();
  return (
    <nav aria-label="Main" className="grid gap-5">
      {groups.map(({ title, items }) => (
        <div key={title ?? ""} className="grid gap-0.5">
          {title && <p className="px-2.5 pb-1 font-medium text-muted-foreground text-xs">{title}</p>}
          {items.map((item) => (
            <NavLink
              key={`${item.href} ${item.title}`}
              item={item}
              isCurrent={pathname === item.href || pathname.startsWith(`${item.href}/`)}
              onNavigate={onNavigate}
            />
          ))}
        </div>
      ))}
    </nav>
  );
}
