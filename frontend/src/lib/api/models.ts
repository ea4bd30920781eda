import type { operations } from "../api-types";

// Types are taken from operations, not from component names: operation ids are the contract, schema names are not.
type Json<R> = R extends { content: { "application/json": infer B } } ? B : never;
type Responses<Op extends keyof operations> = operations[Op]["responses"];
type Answer<Op extends keyof operations> = Json<Responses<Op>[Extract<keyof Responses<Op>, 200 | 201 | 202>]>;
type Item<L> = L extends { items: readonly (infer I)[] } ? I : never;

export type Me = Answer<"me">;
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
export type CursorDetail = Item<Answer<"listCursors">>;
export type SchemaNotice = Item<Answer<"listSchemaNotices">>;
export type ApiCall = Answer<"getApiCall">;
export type Budget = Answer<"getConnectionBudget">;
export type Webhooks = Answer<"listWebhooks">;
export type WebhookReceipt = Item<Webhooks>;
export type Evidence = Answer<"getEvidence">;
export type EvidencePack = NonNullable<Evidence["pack"]>;
