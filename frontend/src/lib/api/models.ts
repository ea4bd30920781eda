import type { operations } from "../api-types";

// Types are taken from operations, not from component names: operation ids are the contract, schema names are not.
type Json<R> = R extends { content: { "application/json": infer B } } ? B : never;
type Responses<Op extends keyof operations> = operations[Op]["responses"];
type Answer<Op extends keyof operations> = Json<Responses<Op>[Extract<keyof Responses<Op>, 200 | 201 | 202>]>;
type Item<L> = L extends { items: readonly (infer I)[] } ? I : never;

export type Me = Answer<"me">;
export type MyTenant = Item<Answer<"listMyTenants">>;
export type MySession = Item<Answer<"listMySessions">>;
export type InvitationPreview = Answer<"previewInvitation">;
export type Provider = Item<Answer<"listProviders">>;
export type Connection = Answer<"getConnection">;
export type ConnectionStatus = Connection["status"];
export type ConnectionTest = Answer<"testConnection">;
export type Stream = Item<Answer<"listStreams">>;
export type StreamRun = NonNullable<Stream["last_run"]>;
export type Job = Answer<"getJob">;
export type JobStatus = Job["status"];
export type TableInfo = Item<Answer<"listTables">>;
export type ColumnInfo = TableInfo["columns"][number];
export type ColumnType = ColumnInfo["type"];
export type TableRow = Item<Answer<"listRows">>;
export type Plugin = Item<Answer<"listPlugins">>;
export type RowDetail = Answer<"getRow">;
export type AuditEvent = Item<Answer<"listAuditEvents">>;
export type AuditEventDetail = Answer<"getAuditEvent">;
export type AuditOutcome = AuditEvent["outcome"];
export type AuditVerification = Answer<"verifyAuditEvents">;
export type AuditFinding = AuditVerification["findings"][number];
export type AuditRetention = Answer<"getAuditRetention">;
export type TimelineEntry = Item<Answer<"getTimeline">>;
export type Aggregate = Answer<"aggregateRows">;
export type SavedView = Answer<"getView">;
