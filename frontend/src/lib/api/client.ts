import createFetchClient from "openapi-fetch";
import type { paths } from "../api-types";
import { problemOf } from "./problem";

const AUTH_PATH = "/api/v1/auth/";
const ANSWERS_ITS_OWN_401 = ["login", "register", "refresh"].map((name) => AUTH_PATH + name);

let refreshing: Promise<boolean> | null = null;

/** Several calls that find the session expired at once must spend the one-time refresh token only once. */
export function refreshSession(): Promise<boolean> {
  refreshing ??= globalThis
    .fetch(`${AUTH_PATH}refresh`, { method: "POST", credentials: "same-origin" })
    .then((response) => response.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

async function send(request: Request): Promise<Response> {
  const answersItsOwn401 = ANSWERS_ITS_OWN_401.includes(new URL(request.url).pathname);
  const retry = answersItsOwn401 ? null : request.clone();
  let response = await globalThis.fetch(request);
  if (response.status === 401 && retry && (await refreshSession())) response = await globalThis.fetch(retry);
  if (!response.ok) throw await problemOf(response);
  return response;
}

export const client = createFetchClient<paths>({
  // Node has no location: tests and the export's prerender need an absolute base.
  baseUrl: typeof location === "undefined" ? "http://localhost" : location.origin,
  credentials: "same-origin",
  fetch: send,
});
