import { openDb } from "../../shared/postgres/db.ts";
import type { Log } from "../../shared/role/log.ts";
import {
  appliedMigrations,
  pendingMigrations,
  readMigrations,
  type Migration,
} from "../../shared/postgres/migration-files.ts";

/** Any number will do as long as it never changes: it names the lock migrations are applied under. */
const lockNumber = 7_145_620_117;
const migrationMs = 600_000;

/**
 * Applies what is missing, each migration in a transaction of its own, and returns what it applied as "role/name".
 * Safe to run from many places at once: they take turns, and each looks again once it has the turn.
 * Refuses a database newer than this build and a migration that was changed after it was applied.
 */
export async function migrate(
  url: string,
  { log, migrations }: Readonly<{ log: Log; migrations?: readonly Migration[] }>,
): Promise<readonly string[]> {
  await using db = await openDb(
    { url, directUrl: null, statementMs: migrationMs },
    { role: "migrate", poolSize: 1, log, checkSchema: false },
  );
  const known = migrations ?? (await readMigrations());
  const applied: string[] = [];
  for (;;) {
    const next = await db.transaction(
      async (tx) => {
        await tx`select pg_advisory_xact_lock(${lockNumber})`;
        await tx`
          create table if not exists migrations (
            role text not null, name text not null, checksum text not null,
            applied_at timestamptz not null default clock_timestamp(), primary key (role, name))`;
        await tx`comment on table migrations is 'Which migrations have been applied. Written by migrate.'`;
        const [first] = pendingMigrations(known, await appliedMigrations(tx));
        if (first === undefined) return null;
        await tx.unsafe(first.sql);
        await tx`insert into migrations (role, name, checksum) values (${first.role}, ${first.name}, ${first.checksum})`;
        return `${first.role}/${first.name}`;
      },
      { deadlineMs: migrationMs },
    );
    if (next === null) return applied;
    log.info("migrated", { migration: next });
    applied.push(next);
  }
}
