import type { Sql } from "./sql.ts";
import type { Pooler } from "./connection-options.ts";

type ConnectionExpectation = Readonly<{ pooler: Pooler; statementMs: number }>;

/** Said of a pooler nobody told us of. */
const untold =
  "DATABASE_URL leads through a pooler that does not pass on the settings of a connection. Set DATABASE_POOLER=transaction and DATABASE_DIRECT_URL";

/**
 * Rejects, saying what to do, when statements of this connection would have no timeout: behind a pooler that dropped
 * what was asked for, or, with `pooler`, in a database whose own timeouts are not set or longer than `statementMs`.
 */
export async function checkConnection(sql: Sql, { pooler, statementMs }: ConnectionExpectation): Promise<void> {
  const rows = await sql<{ name: string; ms: number; database: string }[]>`
    select name, setting::int as ms, quote_ident(current_database()) as database from pg_settings
    where name in ('statement_timeout', 'idle_in_transaction_session_timeout')`.catch(sayPooler);
  const found = new Map(rows.map(({ name, ms }) => [name, ms]));
  const statement = found.get("statement_timeout") ?? 0;
  const idle = found.get("idle_in_transaction_session_timeout") ?? 0;
  if (pooler === null) {
    if (statement !== statementMs || idle !== 30_000) throw new Error(untold);
    return;
  }
  const isBound = (ms: number, most: number) => ms > 0 && ms <= most;
  if (isBound(statement, statementMs) && isBound(idle, 30_000)) return;
  const alter = `alter database ${rows[0]?.database} set`;
  throw new Error(
    `behind a transaction pooler the timeouts must be the database's: statement_timeout is ${statement} ms and ` +
      `idle_in_transaction_session_timeout ${idle} ms. Run as its owner, then let the pooler reconnect: ` +
      `${alter} statement_timeout = ${statementMs}; ${alter} idle_in_transaction_session_timeout = 30000`,
  );
}

/** PgBouncer refuses what it does not know at the start of a connection. */
function sayPooler(error: unknown): never {
  const isRefused = error instanceof Error && /unsupported startup parameter/i.test(error.message);
  throw isRefused ? new Error(untold, { cause: error }) : error;
}
