const KEY = "counterfoil.reloaded-at";
const AGAIN_AFTER_MS = 60_000;

/** A tab that outlived an upgrade asks for chunks that no longer exist. */
export const isStaleChunk = (error: Error) =>
  error.name === "ChunkLoadError" || /loading (css )?chunk|dynamically imported module/i.test(error.message);

/** Once a minute at most: a chunk that is really gone must not make the page reload for ever. */
export function reloadOnce(): void {
  const last = Number(sessionStorage.getItem(KEY) ?? 0);
  if (Date.now() - last < AGAIN_AFTER_MS) return;
  sessionStorage.setItem(KEY, String(Date.now()));
  location.reload();
}
