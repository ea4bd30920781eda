import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";

const base: NextConfig = {
  reactStrictMode: true,
  typedRoutes: true,
  images: { unoptimized: true },
  agentRules: false,
  // `npm run typecheck` is the gate; a third of a build on a small machine would go into checking the same again.
  typescript: { ignoreBuildErrors: true },
  // The same sources must give the same bytes: the build id is part of every page.
  generateBuildId: () => process.env.COUNTERFOIL_UI_BUILD_ID ?? null,
};

export default function config(phase: string): NextConfig {
  if (phase === PHASE_DEVELOPMENT_SERVER) {
    // Rewrites do not exist in a static export, so the API is proxied in development only.
    const api = process.env.COUNTERFOIL_API_ORIGIN ?? "http://127.0.0.1:8400";
    return {
      ...base,
      compress: false,
      rewrites: async () => [{ source: "/api/:path*", destination: `${api}/api/:path*` }],
    };
  }
  return { ...base, output: "export" };
}
