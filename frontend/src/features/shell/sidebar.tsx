import { Brand } from "./brand";
import { NavLinks } from "./nav-links";
import { TenantCard } from "./tenant-card";

export function Sidebar() {
  return (
    <aside
      aria-label="Sidebar"
      className="hidden w-56 shrink-0 flex-col gap-5 overflow-y-auto border-r bg-card px-3 py-4 md:flex"
    >
      <div className="px-2.5">
        <Brand />
      </div>
      <TenantCard />
      <NavLinks />
    </aside>
  );
}
