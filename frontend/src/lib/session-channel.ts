const NAME = "counterfoil-session";

/** This browser's session moved to another tenant: tabs that still show the former one must not go on. */
export function tellOtherTabs(): void {
  const channel = new BroadcastChannel(NAME);
  channel.postMessage("moved");
  channel.close();
}

export function onMovedElsewhere(listener: () => void): () => void {
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", listener);
  return () => channel.close();
}
