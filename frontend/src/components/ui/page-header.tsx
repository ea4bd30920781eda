import type { ReactNode } from "react";

type PageHeaderProps = {
  title: string;
  description?: ReactNode;
  before?: ReactNode;
  beside?: ReactNode;
  actions?: ReactNode;
};

export function PageHeader({ title, description, before, beside, actions }: PageHeaderProps) {
  return (
    <div className="flex flex-wrap items-start gap-x-4 gap-y-3">
      {/* With less room than this the actions go below: beside them the title would shrink to nothing. */}
      <div className="grid min-w-0 shrink grow basis-64 gap-1">
        {before}
        <div className="flex flex-wrap items-center gap-2.5">
          <h1 className="min-w-0 break-words font-semibold text-xl tracking-tight">{title}</h1>
          {beside}
        </div>
        {description && <p className="text-muted-foreground">{description}</p>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </div>
  );
}
