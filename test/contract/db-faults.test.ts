import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { openDb, type Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { freshDatabase, type FreshDatabase } from "../support/database.ts";

setDefaultTimeout(60_000);

const log = makeLog({}, "error");
const statementMs = 3000;
let database: FreshDatabase;
let admin: Db;

beforeAll(async () => {
  database = await freshDatabase();
  admin = await open("admin");
  await admin.sql`create table entries (who text not null, part int not null)`;
});
afterAll(async () => {
  await admin[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const open = (role: string, poolSize = 2): Promise<Db> =>
  openDb({ url: database.url, directUrl: null, statementMs }, { role, poolSize, log });

const kill = (role: string, share = 1): Promise<unknown> =>
  admin.sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = ${role} and datname = current_database() and random() <= ${share}`;

const entries = async (who: string): Promise<number> =>
  (await admin.sql`select 1 from entries where who = ${who}`).length;

describe("a backend that dies inside a transaction", () => {
  test("tears nothing: neither half of the dead one nor of the next one is committed", async () => {
    await using db = await open("torn", 1);
    const dead = { begun: Promise.withResolvers<void>(), goOn: Promise.withResolvers<void>() };
    const next = { begun: Promise.withResolvers<void>(), goOn: Promise.withResolvers<void>() };
    let afterLoss: unknown;
    const first = db.transaction(async (tx) => {
      await tx`insert into entries values ('torn-dead', 1)`;
      dead.begun.resolve();
      await dead.goOn.promise;
      afterLoss = await tx`insert into entries values ('torn-dead', 2)`.catch((error: unknown) => error);
    });
    await dead.begun.promise;
    await kill("torn");
    await expect(first).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });

    const second = db.transaction(async (tx) => {
      await tx`insert into entries values ('torn-next', 1)`;
      next.begun.resolve();
      await next.goOn.promise;
      await tx`insert into entries values ('torn-next', 2)`;
      throw new Error("roll back");
    });
    await next.begun.promise;
    dead.goOn.resolve();
    while (afterLoss === undefined) await Bun.sleep(1);
    next.goOn.resolve();
    await expect(second).rejects.toThrow("roll back");
    expect(afterLoss).toBeInstanceOf(Error);
    expect([await entries("torn-dead"), await entries("torn-next")]).toEqual([0, 0]);
  });

  test("is refused every later statement, also one made before, in a savepoint or by unsafe", async () => {
    await using db = await open("later", 1);
    const lost = Promise.withResolvers<void>();
    const results = Promise.withResolvers<unknown[]>();
    const cut = db.transaction(async (tx) => {
      const made = tx`insert into entries values ('later', 1)`;
      await tx`select 1`;
      await kill("later");
      await lost.promise;
      const attempts = [
        made,
        tx.unsafe("insert into entries values ('later', 2)"),
        tx.savepoint((inner) => inner`select 1`),
      ];
      results.resolve(await Promise.all(attempts.map((attempt) => attempt.catch((error: unknown) => error))));
    });
    await expect(cut).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    lost.resolve();
    for (const result of await results.promise) expect(result).toBeInstanceOf(Error);
    expect(await entries("later")).toBe(0);
  });

  test("rejects statements that were queued behind the one that ran", async () => {
    await using db = await open("queued", 1);
    const statements: Promise<unknown>[] = [];
    const cut = db.transaction(async (tx) => {
      statements.push(tx`select pg_sleep(5)`.execute(), tx`select ${1}::int`.execute(), tx`select ${2}::int`.execute());
      setTimeout(() => void kill("queued").then(() => {}), 100);
      await Promise.all(statements);
    });
    await expect(cut).rejects.toMatchObject({ code: "CONNECTION_CLOSED" });
    expect((await Promise.allSettled(statements)).map(({ status }) => status)).toEqual([
      "rejected",
      "rejected",
      "rejected",
    ]);
  });
});

test("a storm of dying backends tears nothing, hangs nobody and leaves the pool usable", async () => {
  const callers = 32;
  const stormMs = 4000;
  const longestStormMs = 20_000; // a busy machine needs more for as many
  await using db = await open("storm", 8);
  const began = performance.now();
  let isStorming = true;
  type Outcome = "committed" | "rolled back" | "unknown";
  const outcomes = new Map<string, Outcome>();
  const count = (of: Outcome) => [...outcomes.values()].filter((outcome) => outcome === of).length;
  const caller = async (n: number): Promise<void> => {
    for (let i = 0; isStorming; i++) {
      const who = `storm-${n}-${i}`;
      const undo = i % 5 === 4;
      try {
        if (i % 3 === 0) await db.sql`insert into entries select ${who}, generate_series(1, 2)`;
        else
          await db.transaction(async (tx) => {
            await tx`insert into entries values (${who}, 1)`;
            if (i % 2) await Bun.sleep(Math.random() * 5);
            await tx`insert into entries values (${who}, 2)`;
            if (undo) throw new Error("undo");
          });
        outcomes.set(who, "committed");
      } catch (error) {
        const undone = error instanceof Error && error.message === "undo";
        outcomes.set(who, undone ? "rolled back" : "unknown");
        if (!undone) await Bun.sleep(Math.random() * 20);
      }
    }
  };
  const running = Promise.all(Array.from({ length: callers }, (_, n) => caller(n)));
  let kills = 0;
  const isEnough = () => kills > 50 && count("committed") > 100 && count("unknown") > 20;
  const lastsMs = () => performance.now() - began;
  while (lastsMs() < stormMs || (lastsMs() < longestStormMs && !isEnough())) {
    await kill("storm", 0.5);
    kills++;
    await Bun.sleep(15);
  }
  isStorming = false;
  const hung = Bun.sleep(statementMs + 5000).then(() => "hung");
  expect(await Promise.race([running, hung])).not.toBe("hung");

  const rows = await admin.sql<{ who: string; parts: number }[]>`
    select who, count(*)::int as parts from entries where who like 'storm-%' group by who`;
  const parts = new Map(rows.map((row) => [row.who, row.parts]));
  const wrong = [...outcomes].filter(([who, outcome]) => {
    const found = parts.get(who) ?? 0;
    return outcome === "committed" ? found !== 2 : outcome === "rolled back" ? found !== 0 : found !== 0 && found !== 2;
  });
  expect(wrong).toEqual([]);
  expect(count("committed")).toBeGreaterThan(100);
  expect(count("unknown")).toBeGreaterThan(20);
  expect(kills).toBeGreaterThan(50);
  // Every connection of the pool must have come back, or this waits for ever.
  await Promise.all(Array.from({ length: 8 }, () => db.sql`select pg_sleep(0.05)`));
  await db.transaction((tx) => tx`insert into entries values ('after', 1)`);
  expect(await entries("after")).toBe(1);
}, 60_000);

describe("deadlines", () => {
  test("a transaction whose work never ends rejects with DB_DEADLINE and lets go of its locks", async () => {
    await using db = await open("stuck", 1);
    await admin.sql`create table locked (n int)`;
    const stuck = db.transaction(
      async (tx) => {
        await tx`lock table locked`;
        await new Promise(() => {});
      },
      { deadlineMs: 200 },
    );
    await expect(stuck).rejects.toMatchObject({ code: "DB_DEADLINE" });
    expect(await admin.sql`select count(*)::int as n from locked`).toEqual([{ n: 0 }] as never);
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }] as never);
  });

  test("a transaction that waits too long for a connection never runs", async () => {
    await using db = await open("waiting", 1);
    const goOn = Promise.withResolvers<void>();
    const holder = db.transaction(async (tx) => {
      await tx`select 1`;
      await goOn.promise;
    });
    let ran = false;
    const waiting = db.transaction(
      async (tx) => {
        ran = true;
        await tx`insert into entries values ('waiting', 1)`;
      },
      { deadlineMs: 100 },
    );
    await expect(waiting).rejects.toMatchObject({ code: "DB_DEADLINE" });
    goOn.resolve();
    await holder;
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }] as never);
    expect([ran, await entries("waiting")]).toEqual([false, 0]);
  });

  test("a cursor that was read to its end does not cost its connection later", async () => {
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 100 },
      { role: "cursor", poolSize: 1, log },
    );
    const pid = async () => (await db.sql`select pg_backend_pid() as pid`)[0]?.pid as number;
    const before = await pid();
    let seen = 0;
    for await (const rows of db.sql`select generate_series(1, 100)`.cursor(10)) seen += rows.length;
    await Bun.sleep(2300); // The deadline is 2 s longer than the server's.
    expect([seen, await pid()]).toEqual([100, before]);
  });

  test("a statement of a server that fell silent rejects with DB_DEADLINE and its connection is not used again", async () => {
    await using silence = openSilentProxy(database.url);
    await using db = await openDb(
      { url: silence.url, directUrl: null, statementMs: 100 },
      { role: "silent", poolSize: 1, log },
    );
    const [before] = await db.sql`select pg_backend_pid() as pid`;
    silence.begin();
    const waiting = [
      db.sql`select 1`.catch((error: unknown) => error),
      db.sql`select 2`.catch((error: unknown) => error),
    ];
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: "DB_DEADLINE" });
    silence.end();
    const [after] = await db.sql`select pg_backend_pid() as pid`;
    expect(after?.pid).not.toBe(before?.pid);
  });
});

/** Forwards to Postgres until told to go silent: connections stay open and nothing passes, as behind a dead network. */
function openSilentProxy(target: string) {
  const { hostname, port, href } = new URL(target);
  let silent = false;
  type State = { up: Promise<Bun.Socket> };
  const server = Bun.listen<State>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open: (down) => {
        down.data = {
          up: Bun.connect({
            hostname,
            port: Number(port),
            socket: {
              data: (_up, bytes) => void (silent || down.write(bytes)),
              close: () => void (silent || down.end()),
            },
          }),
        };
      },
      data: (down, bytes) => {
        const copy = Buffer.from(bytes);
        void down.data.up.then((up) => silent || up.write(copy));
      },
      close: (down) => void down.data.up.then((up) => up.end()),
    },
  });
  return {
    url: href.replace(`:${port}`, `:${server.port}`),
    begin: () => void (silent = true),
    end: () => void (silent = false),
    [Symbol.asyncDispose]: async () => server.stop(true),
  };
}
