import type { Db, Tx } from "../../../shared/postgres/db.ts";
import { group } from "../consumer-world.ts";

/** Everything that a consumer writes; what an operator and the upkeep write besides does not go back. */
const tables = [
  "effects",
  "shared_rows",
  "inbox",
  "parked_keys",
  "parked_messages",
  "dead_letters",
  "outbox",
  "consumer_positions",
] as const;

type Past = ReadonlyMap<(typeof tables)[number], string>;

/**
 * A database that is brought back to an earlier copy of itself, as from a backup: another server then, by its
 * `server_life()`.
 */
export function makePast({ sql, transaction }: Pick<Db, "sql" | "transaction">) {
  let lives = 0;
  let original: string | null = null;

  const beginLife = async (tx: Tx) => {
    const [row] = await tx<{ text: string }[]>`select pg_get_functiondef('server_life()'::regprocedure) as text`;
    original ??= row?.text ?? null;
    lives += 1;
    await tx.unsafe(
      `create or replace function server_life() returns text language sql stable as $$ select 'life ${lives}' $$`,
    );
  };

  return {
    /** A copy of this moment. */
    copy: (): Promise<Past> =>
      transaction(async (tx) => {
        await tx`set transaction isolation level repeatable read`;
        const copied = new Map<(typeof tables)[number], string>();
        for (const table of tables) {
          const [row] = await tx<{ rows: string }[]>`
            select coalesce(jsonb_agg(to_jsonb(t)), '[]')::text as rows from ${tx(table)} t`;
          copied.set(table, row?.rows ?? "[]");
        }
        return copied;
      }),
    /**
     * Waits for the group's transactions, as none goes on beyond a restore; those that begin later meet another server.
     */
    goBack: (past: Past): Promise<void> =>
      transaction(async (tx) => {
        await tx`select pg_advisory_xact_lock(hashtextextended(${`consumer group ${group}`}, 0))`;
        await tx.unsafe(`lock table ${tables.join()} in access exclusive mode`);
        await beginLife(tx);
        for (const [table, rows] of past) {
          await tx`delete from ${tx(table)}`;
          await tx`
            insert into ${tx(table)} overriding system value
            select * from jsonb_populate_recordset(null::${tx(table)}, ${rows}::text::jsonb)`;
        }
      }),
    /** The server is the one it was at first. */
    end: async (): Promise<void> => {
      if (original !== null) await sql.unsafe(original);
    },
  };
}
