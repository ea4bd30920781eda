export function Brand() {
  return (
    <span className="flex items-center gap-2 font-semibold tracking-tight">
      <svg viewBox="0 0 32 32" aria-hidden="true" className="size-6">
        <rect width="32" height="32" rx="7" className="fill-primary" />
        <path d="M8 8h16v16l-3-2-2.5 2-2.5-2-2.5 2-2.500-2-3 2z" className="fill-primary-foreground" />
        <path d="M12 12.500h8M12 16.500h5" className="stroke-primary" strokeWidth="2" strokeLinecap="round" />
      </svg>
      Counterfoil
    </span>
  );
}
