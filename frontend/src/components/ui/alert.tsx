import { CircleAlert, CircleCheck, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

type AlertTone = "info" | "success" | "warning" | "danger";

const LOOKS: Record<AlertTone, { icon: LucideIcon; className: string }> = {
  info: { icon: Info, className: "border-info/30 bg-info-soft [&>svg]:text-info" },
  success: { icon: CircleCheck, className: "border-success/30 bg-success-soft [&>svg]:text-success" },
  warning: { icon: TriangleAlert, className: "border-warning/30 bg-warning-soft [&>svg]:text-warning" },
  danger: { icon: CircleAlert, className: "border-danger/30 bg-danger-soft [&>svg]:text-danger" },
};

type AlertProps = {
  tone: AlertTone;
  title: string;
  children?: ReactNode;
  role?: "alert" | "status";
  className?: string;
};

export function Alert({ tone, title, children, role, className }: AlertProps) {
  const { icon: Icon, className: look } = LOOKS[tone];
  return (
    <div role={role} className={cn("flex gap-2.5 rounded-md border p-3 text-sm", look, className)}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <div className="grid min-w-0 gap-1">
        <p className="font-medium">{title}</p>
        {children && <div className="break-words text-foreground/85">{children}</div>}
      </div>
    </div>
  );
}
