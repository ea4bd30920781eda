export const CALL_STATUSES = ["2xx", "3xx", "4xx", "5xx", "none"] as const;

export type CallStatus = (typeof CALL_STATUSES)[number];

export const CALL_STATUS: Record<CallStatus, string> = {
  "2xx": "2xx Answered",
  "3xx": "3xx Sent elsewhere",
  "4xx": "4xx Refused",
  "5xx": "5xx Vendor failed",
  none: "No answer",
};
