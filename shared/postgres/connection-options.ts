import postgres from "postgres";

type Pooled = Readonly<{ role: string; max: number; statementMs: number; settings?: ServerSettings }>;

/** Settings of Postgres for every connection of a pool, such as `enable_sort: "off"`. */
export type ServerSettings = Readonly<Record<string, string>>;

/**
 * What every connection has in common. Reconnects wait 50 ms to 0.5 s (the default of postgres.js grows to 20 s).
 * A transaction that idles for 30 s is ended by the server: its client is gone or stuck.
 */
export function connectionOptions(of: Pooled) {
  assertPatched();
  return {
    max: of.max,
    // One statement per connection at a time: pipelined ones would wait behind another's lock and die with its connection.
    // Costs 15 % of the statements per second when all connections are busy.
    max_pipeline: 0,
    connect_timeout: 5,
    idle_timeout: 0,
    backoff: (retries: number) => Math.min(0.5, 0.05 * 2 ** Math.min(retries, 4)),
    onnotice: () => {},
    types: { day: { to: 1082, from: [1082], serialize: String, parse: (text: string) => text } },
    connection: {
      application_name: of.role,
      statement_timeout: of.statementMs,
      idle_in_transaction_session_timeout: 30_000,
      TimeZone: "UTC",
      ...of.settings,
    },
  };
}

// Unpatched, a backend that dies ends the process with an uncaught TypeError or leaves callers waiting for ever.
function assertPatched(): void {
  if (!("patchedFor" in postgres)) throw new Error("postgres.js is not patched: install with `bun install`");
}
