"use client";

import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import { type ComponentProps, type ReactNode, useRef } from "react";
import { cn } from "@/lib/cn";
import { Button } from "./button";

export const Dialog = Primitive.Root;

type DialogContentProps = ComponentProps<typeof Primitive.Content> & {
  title: string;
  description?: ReactNode;
  side?: "center" | "right" | "left";
};

const SIDES = {
  center:
    "top-1/2 left-1/2 max-h-[calc(100dvh-2rem)] w-[calc(100%-2rem)] max-w-lg -translate-x-1/2 -translate-y-1/2 rounded-lg border data-[state=open]:zoom-in-95",
  right: "inset-y-0 right-0 w-full max-w-xl border-l data-[state=open]:slide-in-from-right",
  left: "inset-y-0 left-0 w-72 max-w-[85%] border-r data-[state=open]:slide-in-from-left",
} as const;

/** A dialog, or with `side` a sheet along one edge: one focus trap, one Esc, one close button for both. */
export function DialogContent({
  title,
  description,
  side = "center",
  className,
  children,
  ...props
}: DialogContentProps) {
  // Dialogs here open from state, not from a trigger of their own, so who had the focus is remembered by hand.
  const opener = useRef<Element | null>(null);
  return (
    <Primitive.Portal>
      <Primitive.Overlay className="data-[state=open]:fade-in-0 fixed inset-0 z-40 bg-black/45 data-[state=open]:animate-in" />
      <Primitive.Content
        className={cn(
          "fixed z-50 flex flex-col bg-popover shadow-lg data-[state=open]:animate-in data-[state=open]:duration-150",
          SIDES[side],
          className,
        )}
        onOpenAutoFocus={() => {
          opener.current = document.activeElement;
        }}
        onCloseAutoFocus={(event) => {
          event.preventDefault();
          if (opener.current instanceof HTMLElement) opener.current.focus({ preventScroll: true });
        }}
        {...(description ? {} : { "aria-describedby": undefined })}
        {...props}
      >
        <header className="flex items-start gap-3 border-b px-5 py-4">
          <div className="grid min-w-0 flex-1 gap-1">
            <Primitive.Title className="truncate font-semibold text-base">{title}</Primitive.Title>
            {description && (
              <Primitive.Description className="text-muted-foreground text-sm">{description}</Primitive.Description>
            )}
          </div>
          <Primitive.Close asChild>
            <Button variant="ghost" size="icon" aria-label="Close" className="-mr-2 -mt-1">
              <X aria-hidden />
            </Button>
          </Primitive.Close>
        </header>
        {children}
      </Primitive.Content>
    </Primitive.Portal>
  );
}

export function DialogBody({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("min-h-0 flex-1 overflow-y-auto px-5 py-4", className)} {...props} />;
}

export function DialogFooter({ className, ...props }: ComponentProps<"div">) {
  return <div className={cn("flex flex-wrap justify-end gap-2 border-t px-5 py-3", className)} {...props} />;
}
