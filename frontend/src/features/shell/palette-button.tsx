"use client";

import { Search } from "lucide-react";
import dynamic from "next/dynamic";
import { useEffect, useState } from "react";
import { Button } from "@/components/ui/button";

// Loaded at the first use: most visits never open it.
const Palette = dynamic(() => import("./palette").then((module) => module.Palette), { ssr: false });

export function PaletteButton() {
  const [open, setOpen] = useState(false);
  const [wanted, setWanted] = useState(false);

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setWanted(true);
      setOpen((current) => !current);
    };
    addEventListener("keydown", onKeyDown);
    return () => removeEventListener("keydown", onKeyDown);
  }, []);

  const show = () => {
    setWanted(true);
    setOpen(true);
  };
  return (
    <>
      <Button size="sm" onClick={show} aria-keyshortcuts="Control+K Meta+K" className="text-muted-foreground sm:w-56">
        <Search aria-hidden />
        <span className="flex-1 text-left">Go to…</span>
        <kbd className="hidden rounded border px-1 font-sans text-xs sm:inline">Ctrl K</kbd>
      </Button>
      {wanted && <Palette open={open} onOpenChange={setOpen} />}
    </>
  );
}
