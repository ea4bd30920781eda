import createClient from "openapi-react-query";
import { client } from "./client";

/** Typed TanStack Query bindings; kept apart from the client so that the sign-in pages do not load TanStack Query. */
export const $api = createClient(client);
