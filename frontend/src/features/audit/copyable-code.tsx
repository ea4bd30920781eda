import { CopyButton } from "@/components/ui/copy-button";

/** `what` completes the button's name: "Copy root". */
export function CopyableCode({ value, what }: { value: string; what: string }) {
  return (
    <span className="flex items-start gap-1">
      <code className="min-w-0 break-all font-mono text-xs leading-6">{value}</code>
      <CopyButton value={value} label={`Copy ${what}`} />
    </span>
  );
}
