import { humanize } from "@/lib/format/words";

/** `core.session.opened` -> `Session opened`; a plugin's actions keep its name, which says whose they are. */
export const actionInWords = (action: string) => humanize(action.replace(/^core\./, ""));
