"use client";

import { EndOtherSessionsButton } from "./end-other-sessions-button";
import { SessionList } from "./session-list";

export function SessionsSection() {
  return (
    <section aria-labelledby="sessions" className="grid gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <div className="grid min-w-0 flex-1 gap-0.5">
          <h2 id="sessions" className="font-medium">
            Sessions
          </h2>
          <p className="text-muted-foreground">Where you are logged in. End what you do not recognize.</p>
        </div>
        <EndOtherSessionsButton />
      </div>
      <SessionList />
    </section>
  );
}
