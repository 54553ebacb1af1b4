/** What the API answers: the JSON of the actions, times as text. */
export type Group = Readonly<{
  group: string;
  members: number;
  state: string;
  lagMessages: number;
  lagSeconds: number;
  paused: Readonly<{ by: string; reason: string | null; since: string }> | null;
  parkedKeys: number;
  parkedMessages: number;
  dead: number;
  blocked: Readonly<{ since: string; why: string }> | null;
}>;
export type Kind = Readonly<{
  group: string;
  fingerprint: string;
  count: number;
  first: string;
  last: string;
  classes: readonly string[];
  types: readonly string[];
  keys: number;
  users: number;
  sample: string;
  error: string;
}>;
export type Parked = Readonly<{
  group: string;
  topic: string;
  key: string;
  messages: number;
  attempts: number;
  nextAt: string;
  since: string;
  class: string;
  error: string;
}>;
export type Hold = Readonly<{ topic: string; key: string; reason: string; since: string; waiting: number }>;
export type Outbox = Readonly<{
  waiting: number;
  oldestSeconds: number;
  shards: readonly Readonly<{ shard: number; owner: string | null; waiting: number; oldestSeconds: number }>[];
  holds: readonly Hold[];
}>;
export type Change = Readonly<{
  id: string;
  at: string;
  who: string;
  via: string;
  action: string;
  reason: string | null;
  state: string;
}>;
export type Letter = Readonly<{
  id: string;
  group: string;
  topic: string;
  partition: number;
  offset: number;
  key: string | null;
  type: string | null;
  userId: string | null;
  messageId: string;
  class: string;
  error: string;
  fingerprint: string;
  redrives: number;
  state: string;
  deadAt: string;
  schemaId: number | null;
  headers: readonly (readonly [string, string | Readonly<{ base64: string }>])[];
  stack: string | null;
  attempts: readonly Readonly<{ at: string; class: string; error: string }>[];
  value: unknown;
  read: string;
}>;
export type Plan = Readonly<{ messages: number; keys: number; overCap: number; cap: number }>;
export type Tailed = Readonly<{
  partition: number;
  offset: number;
  time: string;
  key: string | null;
  type: string | null;
  value: unknown;
  read: string;
}>;
