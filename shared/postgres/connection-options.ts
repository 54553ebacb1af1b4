import postgres from "postgres";

/**
 * `transaction`: a proxy gives each transaction any connection of its own, so nothing may be kept on one between two.
 */
export type Pooler = "transaction" | null;

type PoolOptions = Readonly<{
  role: string;
  max: number;
  statementMs: number;
  settings?: ServerSettings;
  pooler?: Pooler;
}>;

/** Settings of Postgres for every connection of a pool, such as `enable_sort: "off"`. */
export type ServerSettings = Readonly<Record<string, string>>;

/**
 * What every connection has in common. Reconnects wait 50 ms to 0.5 s (the default of postgres.js grows to 20 s). A
 * transaction that idles for 30 s is ended by the server: its client is gone or stuck. Behind a pooler that gives
 * connections to transactions no statement is prepared, and the timeouts are the database's (see `checkConnection`): it
 * takes none at the start.
 */
export function connectionOptions(of: PoolOptions) {
  assertPatched();
  return {
    max: of.max,
    // One statement per connection at a time: pipelined ones would wait behind another's lock and die with its
    // connection. Costs 15 % of the statements per second when all connections are busy.
    max_pipeline: 0,
    connect_timeout: 5,
    idle_timeout: 0,
    backoff: (retries: number) => Math.min(0.5, 0.05 * 2 ** Math.min(retries, 4)),
    onnotice: () => {},
    types: {
      day: { to: 1082, from: [1082], serialize: textOf, parse: (text: string) => text },
      instant: { to: 1184, from: [1114, 1184], serialize: textOf, parse: (text: string) => new Date(text) },
      // Text given for json is JSON text.
      json: {
        to: 114,
        from: [114, 3802],
        serialize: (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value)),
        parse: (text: string): unknown => JSON.parse(text),
      },
    },
    prepare: of.pooler !== "transaction",
    connection: {
      application_name: of.role,
      TimeZone: "UTC",
      ...(of.pooler === "transaction"
        ? {}
        : { statement_timeout: of.statementMs, idle_in_transaction_session_timeout: 30_000, ...of.settings }),
    },
  };
}

function textOf(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

// Unpatched, a backend that dies ends the process with an uncaught TypeError or leaves callers waiting for ever.
function assertPatched(): void {
  if (!("patchedFor" in postgres)) throw new Error("postgres.js is not patched: install with `bun install`");
}
