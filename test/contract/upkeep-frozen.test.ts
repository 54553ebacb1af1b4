import { expect, setDefaultTimeout, test } from "bun:test";
import { insertOutbox } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { freshDatabase } from "../support/database.ts";
import { relayRow } from "../support/relay-world.ts";

setDefaultTimeout(60_000);

/** What each step is to do, and a write that waits behind it. The server ends a statement after 10 s. */
const steps: Readonly<
  Record<string, Readonly<{ prepare: (db: Db) => Promise<unknown>; write: (db: Db) => Promise<unknown> }>>
> = {
  outbox_days: {
    prepare: (db) => dropLast(db, "outbox"),
    write: (db) => insertOutbox(db.sql, [relayRow("k", 1)]),
  },
  outbox_old_days: {
    prepare: (db) => makeOld(db, "outbox", "outbox_20200106"),
    write: (db) => insertOutbox(db.sql, [relayRow("k", 1)]),
  },
  inbox_weeks: {
    prepare: (db) => dropLast(db, "inbox"),
    // A time without a partition: making a week locks the default partition alone.
    write: (db) => remember(db, "2099-01-01T00:00:00Z"),
  },
  inbox_old_weeks: {
    prepare: (db) => makeOld(db, "inbox", "inbox_20200106"),
    write: (db) => remember(db, new Date().toISOString()),
  },
};

test.each(Object.keys(steps))(
  "a process frozen in the middle of %s holds up writers for a moment only",
  async (step) => {
    const { prepare, write } = steps[step] ?? {};
    await using database = await freshDatabase({ used: false });
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 10_000 },
      { role: "test", poolSize: 2, log: makeLog({}, "error") },
    );
    await prepare?.(db);
    const frozen = Bun.spawn(
      [process.execPath, `${import.meta.dir}/../support/freeze-in-upkeep.ts`, database.url, step],
      {
        env: { ...process.env },
        stdout: "pipe",
        stderr: "inherit",
      },
    );
    try {
      const reader = frozen.stdout.getReader();
      const said = new TextDecoder().decode((await reader.read()).value);
      expect(said).toBe("frozen\n");
      // Rejects with 57014 where it waits for longer than a statement may take.
      await write?.(db);
    } finally {
      frozen.kill("SIGKILL");
      await frozen.exited;
    }
  },
);

const remember = (db: Db, time: string) => db.sql`
  insert into inbox (epoch, message_id, time, fate) values (1, gen_random_uuid(), ${time}::timestamptz, 'done')`;

async function dropLast(db: Db, table: string): Promise<void> {
  const [last] = await db.sql<{ name: string }[]>`
    select max(child.relname) as name from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = ${table}::regclass and child.relname ~ '[0-9]{8}$'`;
  await db.sql.unsafe(`drop table ${last?.name}`);
}

async function makeOld(db: Db, table: string, name: string): Promise<void> {
  const zone = table === "inbox" ? " 00:00Z" : "";
  const to = table === "inbox" ? "2020-01-13" : "2020-01-07";
  await db.sql.unsafe(
    `create table ${name} partition of ${table} for values from ('2020-01-06${zone}') to ('${to}${zone}')`,
  );
}
