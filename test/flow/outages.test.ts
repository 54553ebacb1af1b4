import { afterAll, beforeAll, expect, test } from "bun:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allTasks, signIn, type Client, type Json } from "../support/client.ts";
import { ownStack, skipOwnParts, type OwnPart, type OwnStack } from "../support/own-stack.ts";
import { readTopic, topicEnds } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { openSwitchingProxy, type SwitchingProxy } from "../support/switching-proxy.ts";
import { startSystem, type System } from "../support/system.ts";
import { watchHandling, type Watched } from "../support/watch-handling.ts";

const skip = skipOwnParts();

const long = process.env["LONG_TESTS"] === "1";
const downMs = long ? 60_000 : 5_000;
let own: OwnStack;
/** The address that roles are given, as a name that leads to whichever broker there is. */
let bootstrap: SwitchingProxy;
let system: System;
let handling: Watched;
let users: readonly Client[];
beforeAll(async () => {
  if (skip) return;
  own = await ownStack();
  bootstrap = await openSwitchingProxy(Number(own.urls.kafkaBrokers.split(":")[1]));
  system = await startSystem({ stack: { ...own.urls, kafkaBrokers: `127.0.0.1:${bootstrap.port}` } });
  handling = await watchHandling(system.env["DATABASE_URL"] ?? "");
  users = await Promise.all(["ada", "ben", "cleo"].map((name) => signIn(system.url("ui-gateway"), name)));
}, 200_000);
afterAll(async () => {
  await handling?.[Symbol.asyncDispose]();
  await system?.[Symbol.asyncDispose]();
  await bootstrap?.[Symbol.asyncDispose]();
  await own?.[Symbol.asyncDispose]();
}, 60_000);

/**
 * Killed, a part refuses connections; frozen, it takes them and answers nothing, which is found out after 5 to 12 s:
 * for long runs only. Replaced, it comes back at another address, which only the one that roles were given leads to.
 */
type How = "killed" | "frozen" | "replaced";

/** Postgres alone is needed to take a write: while the others are gone nothing may be refused. */
const outages: readonly (readonly [parts: readonly OwnPart[], how: How, mayRefuse: boolean])[] = [
  ...(long
    ? ([
        [["postgres"], "killed", true],
        [["kafka"], "killed", false],
        [["registry"], "killed", false],
        [["postgres"], "frozen", true],
        [["kafka"], "frozen", false],
        [["registry"], "frozen", false],
        [["postgres", "kafka"], "frozen", true],
      ] as const)
    : []),
  [["kafka", "registry"], "killed", false],
  [["postgres", "kafka"], "killed", true],
  [["kafka"], "replaced", false],
];

async function bringBack(part: OwnPart, how: How): Promise<void> {
  if (how === "killed") await own.start(part);
  if (how === "frozen") own.thaw(part);
  if (how === "replaced") bootstrap.lead(await own.moveKafka());
}

for (const [parts, how, mayRefuse] of outages)
  test.skipIf(skip)(
    `with ${parts.join(" and ")} ${how} under load and back later, nothing is lost, dead or out of order, the lag goes back to none, and the API answers`,
    async () => {
      const load = new AbortController();
      const answers: Answered[] = [];
      const writers = users.map((user) => write(user, load.signal, answers));
      await sleep(1_000); // the load is under way
      for (const part of parts) (how === "frozen" ? own.freeze : own.kill)(part);
      const from = performance.now();
      await sleep(downMs); // the outage itself
      const down = answers.filter(({ at }) => at > from);
      await Promise.all(parts.map((part) => bringBack(part, how)));
      const back = performance.now();
      await sleep(1_000); // the load goes on over the recovery
      load.abort();
      const written = (await Promise.all(writers)).flat();
      await settled(system);
      const drainedMs = performance.now() - back;
      console.log(
        `${parts.join(" and ")} ${how} for ${downMs} ms: ${written.length} tasks, ${answers.length} answers, of them ${down.length} meanwhile`,
        Object.fromEntries(
          [...Map.groupBy(answers, ({ status }) => status)].map(([status, of]) => [status, of.length]),
        ),
        `slowest ${Math.round(Math.max(...answers.map(({ ms }) => ms)))} ms, settled ${Math.round(drainedMs)} ms after`,
      );

      expect(down.length).toBeGreaterThan(0);
      expect(answers.filter((answer) => !isGood(answer, how))).toEqual([]);
      if (!mayRefuse) expect(answers.filter(({ status }) => status >= 300)).toEqual([]);
      expect(drainedMs).toBeLessThan(60_000);
      await checkEverything(new Set(written));
    },
    downMs + 150_000,
  );

/**
 * Nobody dead or parked; of every task all versions in the log, rising, and its view made of them in their order up to
 * the last.
 */
async function checkEverything(ids: ReadonlySet<string>): Promise<void> {
  const ends = Object.entries(await topicEnds(system.env));
  expect(ends.filter(([topic, end]) => topic.endsWith("-dlq") && end > 0)).toEqual([]);
  expect(JSON.parse(await system.ops("parked", "--json"))).toEqual({ parked: [] });
  const logged = new Map<string, number>();
  for (const { envelope } of await readTopic(system.env, "task-events")) {
    const last = logged.get(envelope.subject) ?? 0;
    // What was published twice comes again; what is new is the next.
    if (envelope.sequence > last)
      expect({ task: envelope.subject, version: envelope.sequence }).toEqual({
        task: envelope.subject,
        version: last + 1,
      });
    logged.set(envelope.subject, Math.max(last, envelope.sequence));
  }
  const tasks = (await Promise.all(users.map(allTasks))).flat();
  expect(tasks.map(({ id }) => id).filter((id) => ids.has(id))).toHaveLength(ids.size);
  const out: unknown[] = [];
  const all = await handling.foldsOfAll();
  for (const { id, version } of tasks) {
    const folds = all.get(id) ?? [];
    const rises = folds.every((fold, n) => fold > (folds[n - 1] ?? 0));
    if (!rises || folds.at(-1) !== version || logged.get(id) !== version)
      out.push({ id, version, folds, logged: logged.get(id) });
  }
  expect(out).toEqual([]);
}

/**
 * Taken, or told to come again. Where Postgres is frozen nobody can say what has become of a request it holds: the same
 * key is then told that the first with it still runs.
 */
function isGood({ status, retryAfter, what }: Answered, how: How): boolean {
  if (status < 300) return true;
  const isHeld = how === "frozen" && status === 409 && what.includes("IDEMPOTENCY_IN_PROGRESS");
  return (status === 503 || isHeld) && retryAfter !== null;
}

type Answered = Readonly<{ at: number; ms: number; status: number; retryAfter: string | null; what: string }>;

/**
 * Creates and changes tasks until told to stop, each write with a key of its own and repeated until it is taken. The
 * ids it made.
 */
async function write(user: Client, signal: AbortSignal, answers: Answered[]): Promise<readonly string[]> {
  const ids: string[] = [];
  const must = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const key = { "idempotency-key": crypto.randomUUID() };
    for (;;) {
      const at = performance.now();
      const answer = await user.call(method, path, body, key).catch((error: unknown) => String(error));
      const ms = performance.now() - at;
      if (typeof answer === "string") answers.push({ at, ms, status: 599, retryAfter: null, what: answer });
      else {
        const retryAfter = answer.headers.get("retry-after");
        answers.push({ at, ms, status: answer.status, retryAfter, what: JSON.stringify(answer.body) });
        if (answer.status < 300) return answer.body;
      }
      await sleep(200); // a client that keeps asking; it is told to wait longer
    }
  };
  while (!signal.aborted) {
    const { id } = await must("POST", "/v1/tasks", {
      title: `Task ${ids.length}`,
      due_date: new Date(Date.now() + 3_600_000),
    });
    ids.push(id);
    await must("PATCH", `/v1/tasks/${id}`, { title: "changed" });
    if (ids.length % 2 === 0) await must("POST", `/v1/tasks/${id}/complete`);
    await sleep(100); // a load, not a flood: three writers on a busy machine
  }
  return ids;
}
