"use client";

import { parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { CALL_STATUSES } from "./api-call-status";

const PARSERS = { status: parseAsStringLiteral(CALL_STATUSES), job: parseAsString, call: parseAsString };

/** Filter and open request live in the address: a job links to its requests, and one person can send another one. */
export const useApiCallState = () => useQueryStates(PARSERS);
