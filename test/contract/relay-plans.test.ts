import { afterAll, beforeAll, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import { insertOutbox, lineOf } from "../../shared/outbox/outbox.ts";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { claimInTurns } from "../../workers/outbox-relay/claim-in-turns.ts";
import { claim, claimSettings } from "../../workers/outbox-relay/claim.ts";
import { openLeases, type Leases } from "../../workers/outbox-relay/leases.ts";
import { setAsideHeld } from "../../workers/outbox-relay/set-aside.ts";
import { makeMarker } from "../../workers/outbox-relay/mark.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";
import { relayRow } from "../support/relay-world.ts";
import { until } from "../support/until.ts";

const log = makeLog({}, "error");
const backlog = 32_000;

let database: FreshDatabase;
let db: Db;
let leases: Leases;
beforeAll(async () => {
  database = await freshDatabase({ used: false });
  const config = { url: database.url, directUrl: null, statementMs: 10_000 };
  db = await openDb(config, { role: "relay", poolSize: 2, log, settings: claimSettings });
  leases = await openLeases({ db, instance: "relay", log, onAcquired: () => {} });
});
afterAll(async () => {
  await leases?.[Symbol.asyncDispose]();
  await db?.[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

const write = (count: number) =>
  insertOutbox(
    db.sql,
    Array.from({ length: count }, (_, n) => relayRow(`key-${n % 100}`, n + 1)),
  );

test("a long backlog that came after the statistics is marked all the same", async () => {
  await write(2_000);
  await db.sql`update outbox set published_at = clock_timestamp()`;
  await db.sql`vacuum analyze outbox`; // as autovacuum does in a quiet hour: nothing waits
  for (let n = 0; n < backlog; n += 4_000) await write(4_000);
  const rows = await claim(db, {
    leases: leases.held(),
    busy: [],
    except: [],
    layouts: new Map(),
    rowsPerShard: backlog,
    bytesPerShard: Number.MAX_SAFE_INTEGER,
  });
  expect(rows).toHaveLength(backlog);
  const failures: unknown[] = [];
  const told = makeLog({}, "warn", (line) => void failures.push(line));
  let done = 0;
  await using marker = makeMarker({
    db,
    instance: "relay",
    log: told,
    onDone: (marked) => (done += marked.length),
    onLost: () => {},
  });
  marker.add(rows);
  await until("all are marked", () => done === backlog, { timeoutMs: 30_000, describe: () => failures.join("\n") });
  const left = await db.sql`select from outbox where published_at is null limit 1`;
  expect([left.length, failures]).toEqual([0, []]);
}, 60_000);

/**
 * How many rows and entries of indexes of the outbox `work` reads, on one connection, whose counters are told at once.
 */
async function readBy(alone: Db, work: () => Promise<unknown>): Promise<number> {
  const read = async () => {
    await alone.sql`select pg_stat_force_next_flush()`;
    const [row] = await alone.sql<{ n: number }[]>`
      select (sum(idx_tup_read) + (select sum(seq_tup_read) from pg_stat_user_tables where relname like 'outbox\\_%'))::int as n
      from pg_stat_user_indexes where relname like 'outbox\\_%'`;
    return row?.n ?? Number.NaN;
  };
  const before = await read();
  await work();
  return (await read()) - before;
}

test("a claim goes through no rows behind a hold once they are set aside", async () => {
  await db.sql`truncate outbox`;
  for (let n = 0; n < backlog; n += 4_000) await write(4_000);
  await db.sql`insert into outbox_holds (topic, key, reason) select distinct topic, key, 'x' from outbox`;
  await insertOutbox(db.sql, [relayRow("free", 1, { line: lineOf("task-events", "free") })]);
  await using alone = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    { role: "relay", poolSize: 1, log, settings: claimSettings },
  );
  const page = {
    leases: leases.held(),
    busy: [],
    except: [],
    layouts: new Map(),
    rowsPerShard: 63,
    bytesPerShard: 250_000,
  };
  const turns = { ...page, allowances: new Map<number, number>(), otherwise: 64, start: 0.5 };
  const keys: string[] = [];
  const looks = [
    async () => keys.push(...(await claim(alone, page)).map(({ key }) => key)),
    async () => keys.push(...(await claimInTurns(alone, turns)).map(({ key }) => key)),
  ];
  // It can see what it is about: without setting aside every look goes through the backlog.
  for (const look of looks) expect(await readBy(alone, look)).toBeGreaterThan(backlog);
  expect(await setAsideHeld(db)).toBe(backlog);
  // What the index keeps of the rows as they were goes with the first look, or with a vacuum.
  await db.sql`vacuum outbox`;
  for (const look of looks) expect(await readBy(alone, look)).toBeLessThan(200);
  expect(keys).toEqual(["free", "free", "free", "free"]);
  await db.sql`delete from outbox_holds`;
  expect(await claim(alone, { ...page, rowsPerShard: 1 })).not.toHaveLength(1);
  await db.sql`truncate outbox`;
}, 60_000);

test("a claim by lines reads the first rows of a line, not what lies behind them", async () => {
  await db.sql`truncate outbox`;
  const [busy, other] = [lineOf("task-events", "busy"), lineOf("task-events", "other")];
  for (let n = 0; n < backlog; n += 4_000)
    await insertOutbox(
      db.sql,
      Array.from({ length: 4_000 }, (_, i) => relayRow(`key-${i % 100}`, n + i, { line: busy })),
    );
  await insertOutbox(db.sql, [relayRow("other", 1, { line: other })]);
  await using alone = await openDb(
    { url: database.url, directUrl: null, statementMs: 10_000 },
    // One connection, so that its counters can be told to be shown at once.
    { role: "relay", poolSize: 1, log, settings: claimSettings },
  );
  const read = async () => {
    await alone.sql`select pg_stat_force_next_flush()`;
    const [row] = await alone.sql<{ n: number }[]>`
      select (sum(idx_tup_read) + (select sum(seq_tup_read) from pg_stat_user_tables where relname like 'outbox\\_%'))::int as n
      from pg_stat_user_indexes where relname like 'outbox\\_%'`;
    return row?.n ?? Number.NaN;
  };
  const look = (rows: number) =>
    claimInTurns(alone, {
      leases: leases.held(),
      busy: [],
      except: [],
      layouts: new Map(),
      rowsPerShard: 1_000,
      bytesPerShard: Number.MAX_SAFE_INTEGER,
      allowances: new Map([[busy, rows]]),
      otherwise: 64,
      start: 0.5,
    });
  for (const rows of [0, 64]) {
    const before = await read();
    const claimed = await look(rows);
    const first = await read();
    console.info(`${claimed.length} rows claimed, ${first - before} read of ${backlog}`);
    expect(claimed).toHaveLength(rows === 0 ? 1 : rows + 2);
    expect(claimed.at(-1)?.key).toBe("other");
    expect(first - before).toBeLessThan(16 * (rows + 20));
  }
}, 60_000);
