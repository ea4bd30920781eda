"use client";

import { useSuspenseQuery } from "@tanstack/react-query";
import { sessionQueries } from "./queries";

/** Inside the auth gate the session is already in the cache, so this never suspends. */
export const useMe = () => useSuspenseQuery(sessionQueries.me()).data;
