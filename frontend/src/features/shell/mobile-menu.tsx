"use client";

import { Menu } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogBody, DialogContent } from "@/components/ui/dialog";
import { NavLinks } from "./nav-links";
import { TenantCard } from "./tenant-card";

export function MobileMenu() {
  const [open, setOpen] = useState(false);
  return (
    <Dialog open={open} onOpenChange={setOpen}>
      <Button variant="ghost" size="icon" aria-label="Open menu" className="md:hidden" onClick={() => setOpen(true)}>
        <Menu aria-hidden />
      </Button>
      <DialogContent side="left" title="Counterfoil">
        <DialogBody className="grid content-start gap-5 px-3!">
          <TenantCard />
          <NavLinks onNavigate={() => setOpen(false)} />
        </DialogBody>
      </DialogContent>
    </Dialog>
  );
}
