import { afterAll, beforeAll, expect, test } from "bun:test";
import postgres from "postgres";
import { openWorld, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());

test("while backends are killed, a write answers yes or try-again, and each task there is has exactly its events", async () => {
  const [here] = await world.db.sql<{ url: string }[]>`select current_database() as url`;
  const admin = postgres(process.env["DATABASE_URL"] ?? "", { max: 1, onnotice: () => {} });
  const stop = new AbortController();
  let taken = 0;
  const killing = (async () => {
    let killed = 0;
    let pauseMs = 15;
    for (let before = 0; !stop.signal.aborted; before = taken) {
      const rows = await admin`
        select pg_terminate_backend(pid) from pg_stat_activity
        where datname = ${here?.url ?? ""} and state = 'active' and pid <> pg_backend_pid()`;
      killed += rows.length;
      // Some writes have to come through between two storms; a busy machine needs longer for one.
      pauseMs = taken > before ? 15 : Math.min(2_000, pauseMs * 1.5);
      await Bun.sleep(pauseMs);
    }
    return killed;
  })();
  const statuses: number[] = [];
  const codes = new Set<unknown>();
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    for (let n = 0; n < 8; n++) {
      const key = `${writer}-${n}`;
      const sendAgain = async (method: string, path: string, body: unknown, key: string) => {
        for (;;) {
          const answer = await world.send(method, path, { body, key });
          statuses.push(answer.status);
          if (answer.status < 300) {
            taken++;
            return answer.body;
          }
          codes.add(answer.body["code"]);
          expect([409, 503]).toContain(answer.status);
        }
      };
      const task = await sendAgain("POST", "/v1/tasks", { title: key }, `c${key}`);
      await sendAgain("PATCH", `/v1/tasks/${task.id}`, { title: `${key}!` }, `p${key}`);
    }
  });
  await Promise.all(writers);
  stop.abort();
  expect(await killing).toBeGreaterThan(0);
  await admin.end();
  expect(statuses).toContain(503);

  const events = await world.events();
  expect(events).toHaveLength(256);
  const rows = await world.db.sql<
    { id: string; version: string; title: string }[]
  >`select id, version, title from tasks`;
  expect(rows).toHaveLength(128);
  for (const { id, version, title } of rows) {
    expect(events.filter(({ subject }) => subject === id).map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect([version, title.endsWith("!")]).toEqual(["2", true]);
  }
}, 60_000);
