const PERMISSIONS: Record<string, string> = {
  "core.sync": "connections.sync",
  "core.replay": "connections.sync",
  "core.refresh": "jobs.run",
  "core.evidence": "evidence.create",
};

/** Running a job again takes what starting it took. Of a plugin's kinds only the server knows: it says so when asked. */
export const runAgainPermission = (kind: string): string | null => PERMISSIONS[kind] ?? null;

/** What a refusal means for the person who pressed the button, beyond the server's own words; null adds nothing. */
export function whyNotAgain({ status, code }: { status: number; code: string }): string | null {
  if (code === "permission_denied") {
    return "Running a job again takes the permission that starting it took. A member who manages roles can give it to you.";
  }
  if (code === "job_in_progress") return "Wait until that one has ended, or cancel it, and run this job again then.";
  if (code === "plugin_disabled") return "Enable the plugin of its connection first.";
  if (status === 404) return "What this job worked on is no longer there, so there is nothing to run it for.";
  return null;
}
