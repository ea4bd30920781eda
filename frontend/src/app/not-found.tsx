import type { Metadata } from "next";

export const metadata: Metadata = { title: "Page not found" };

export default function NotFound() {
  return (
    <main className="grid min-h-dvh place-content-center gap-3 p-6 text-center">
      <p className="font-mono text-muted-foreground text-sm">404</p>
      <h1 className="font-semibold text-xl">There is no page at this address</h1>
      <p className="text-muted-foreground">The link may be old, or mistyped.</p>
      <p>
        {/* A plain link: this page is part of every other page's payload, and the router's link would be too. */}
        <a href="/dashboard" className="text-primary underline underline-offset-4">
          Go to the dashboard
        </a>
      </p>
    </main>
  );
}
