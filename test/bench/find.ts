// What finding tasks takes, from the request to its JSON, against the same statement alone on the same connection.
import { makeHttpApp } from "../../shared/http/http-app.ts";
import { openDb, type Db, type Sql } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { addListRoute } from "../../workers/task-service/find/list-route.ts";
import { taskReaders } from "../../workers/task-service/task-readers.ts";
import { freshDatabase } from "../support/database.ts";
import { percentile, type Bench, type BenchRow } from "./bench.ts";

const many = { users: 1_000, tasks: 1_000_000, ofOne: 50_000 } as const;
const few = { users: 200, tasks: 200_000, ofOne: 50_000 } as const;
const runs = 40;

const big = "99999999-0000-4000-8000-999999999999";
const day = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

const asked: readonly string[] = [
  "status=open",
  "sort=due",
  "status=open&sort=-due",
  "sort=updated",
  "sort=-completed",
  "status=open&sort=priority",
  "q=w1",
  "q=w12%20w3",
  "tag=home",
  "tag=home&tag=tag8&sort=due",
  "priority=High&sort=due",
  `due_after=${day(0)}&due_before=${day(7)}`,
  `completed_after=${day(-3)}&sort=-completed`,
  `updated_since=${day(-1)}`,
  "filter=today%20%7C%20overdue&sort=priority",
  "filter=overdue%20%26%20(p1%20%7C%20%23home)%20%26%20!%23waiting&sort=due",
  "filter=no%20date",
];

export const bench: Bench = {
  id: "find",
  title: "every filter and order over a page of 50, of a user with 50,000 tasks among others' many",
  run: async ({ rounds, say }) => {
    const size = rounds > 3 ? many : few;
    await using database = await freshDatabase();
    await using db = await openDb(
      { url: database.url, directUrl: null, statementMs: 600_000 },
      { role: "task-service", poolSize: 1, log: makeLog({}, "error") },
    );
    say(`making ${(size.tasks + size.ofOne).toLocaleString("en")} tasks of ${size.users + 1} users`);
    await fill(db, size);
    const { request, last } = serve(db);
    const rows: BenchRow[] = [];
    for (const query of asked) {
      await request(query);
      const statement = last();
      const ours: number[] = [];
      const peers: number[] = [];
      const ratios: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const mine = await times(() => request(query));
        const alone = await times(() => db.sql.unsafe(...statement));
        ours.push(...mine);
        peers.push(...alone);
        ratios.push(percentile(mine, 0.5) / percentile(alone, 0.5));
      }
      rows.push({
        what: decodeURIComponent(query),
        ours: percentile(ours, 0.5),
        peer: percentile(peers, 0.5),
        unit: " ms",
        ratios,
        target: "<= 1.5",
        note: `p99 ${percentile(ours, 0.99).toFixed(1)} ms (wanted 50), alone ${percentile(peers, 0.99).toFixed(1)} ms`,
      });
    }
    return rows;
  },
};

type Statement = Parameters<Sql["unsafe"]>;

/** The route on a database, and the statement it ran last. */
function serve(db: Db) {
  let ran: Statement = [""];
  const unsafe = (...statement: Statement) => {
    ran = statement;
    return db.sql.unsafe(...statement);
  };
  const sql = new Proxy(db.sql, {
    get: (target, name) => (name === "unsafe" ? unsafe : Reflect.get(target, name)),
  });
  const app = makeHttpApp({
    title: "Tasks",
    version: "1",
    authenticate: async () => ({ userId: big, sessionId: "s", expiresAt: new Date(0), via: "bearer" }),
    newId: () => crypto.randomUUID(),
    log: makeLog({}, "error"),
    metrics: makeMetrics("task-service", { process: false }),
  });
  addListRoute(app, { ...taskReaders({ ...db, sql }), now: () => new Date(), oneAtATime: (_key, work) => work() }, [
    "tasks",
  ]);
  return {
    request: async (query: string) => {
      const answer = await app.request(`/v1/tasks?${query}`);
      if (answer.status !== 200) throw new Error(`${query} answered ${answer.status}: ${await answer.text()}`);
      await answer.arrayBuffer();
    },
    last: () => ran,
  };
}

async function times(work: () => Promise<unknown>): Promise<readonly number[]> {
  const all: number[] = [];
  for (let n = 0; n < runs; n++) {
    const began = performance.now();
    await work();
    all.push(performance.now() - began);
  }
  return all;
}

/** Titles of four words out of 3,000, a third with a description, half with two tags, a fifth open. */
async function fill({ sql }: Db, { users, tasks, ofOne }: typeof many | typeof few): Promise<void> {
  // Of a number a word; an array of words would be unpacked for each.
  const word = (number: string) => `'w' || substr(md5((${number} % 3000)::text), 1, 4 + (${number} % 5)::int)`;
  const add = (count: number, step: number, user: string) =>
    sql.unsafe(`
      insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, due_on, priority, tags, status, completed_at)
      select gen_random_uuid(), ${user},
        ${["n * 7919", "n * 104729", "n * 1299709", "n % 100"].map((number) => word(`(${number})`)).join(" || ' ' || ")},
        case when n % 3 = 0 then ${Array.from({ length: 12 }, (_, k) => word(`(n * 31 + ${k})`)).join(" || ' ' || ")} end,
        at, at + interval '1 hour' * (n % 500),
        case when n % 4 in (0, 1) then at + interval '1 day' * (n % 60) end,
        case when n % 4 = 2 then (at + interval '1 day' * (n % 60))::date end,
        (array['High', 'Medium', 'Low', null])[1 + n % 4],
        case when n % 2 = 0 then array['home', 'tag' || n % 50] else '{}' end,
        case when n % 10 < 8 then 'completed' else 'open' end, case when n % 10 < 8 then at + interval '2 days' end
      from generate_series(1, ${count}::bigint) as n,
        lateral (select clock_timestamp() - interval '1 second' * (n * ${step}) as at) as made`);
  const userOf = `('00000000-0000-4000-8000-' || lpad((n % ${users})::text, 4, '0') || substr(md5((n % ${users})::text), 1, 8))::uuid`;
  await add(tasks, 300, userOf);
  await add(ofOne, 900, `'${big}'::uuid`);
  await sql`vacuum analyze tasks`;
}
