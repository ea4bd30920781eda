"use client";

import { useMe } from "./use-me";

/** Whether to offer an action at all; the API decides again when it is taken. */
export const useMay = (permission: string) => useMe().permissions.includes(permission);
