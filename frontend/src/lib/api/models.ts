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
export type Member = Item<Answer<"listMembers">>;
export type Invitation = Item<Answer<"listInvitations">>;
export type NewInvitation = Answer<"inviteUser">;
export type Role = Item<Answer<"listRoles">>;
export type Permission = Item<Answer<"listPermissions">>;
export type ApiKey = Item<Answer<"listApiKeys">>;
export type ApiKeyMade = Answer<"createApiKey">;
export type Tenant = Answer<"getTenant">;
export type Plan = Answer<"getPlan">;
export type Quota = Plan["quotas"][number];
export type Usage = Item<Answer<"getUsage">>;
