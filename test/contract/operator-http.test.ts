import { afterAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readSoundSchemas } from "../../workers/operator/sound-schemas.ts";
import { readConfig } from "../../shared/role/config.ts";
import { makeLimiter, type Limiter } from "../../shared/limits/limiter.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { buildApp } from "../../workers/operator/app.ts";
import { openJobs } from "../../workers/operator/http/jobs.ts";
import { topicSettings } from "../../workers/operator/plan-topics.ts";
import { operatorWorld } from "../support/operator-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
const world = await operatorWorld();
const stop = new AbortController();
const jobs = openJobs(stop.signal, world.log);
const appWith = (token: string | null, guesses: Limiter | null = null) =>
  buildApp({
    http: { version: "1", newId: () => crypto.randomUUID(), log: world.log, metrics: makeMetrics("operator") },
    token,
    guesses,
    trustedProxies: 0,
    page: new Map(),
    deps: {
      ...world,
      codec: () => Promise.resolve(world.codec),
      registry: () => world.registry,
      topicSettings: readConfig(topicSettings, {}),
      jobs,
      now: () => new Date(),
      readSchemas: readSoundSchemas,
    },
  });
const app = appWith("s3cret");
afterAll(async () => {
  stop.abort();
  await jobs[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
}, 30_000);
beforeEach(() => world.clear());

const headers = { authorization: "Bearer s3cret", "x-operator": "grace", "content-type": "application/json" };
async function call(method: "GET" | "POST", path: string, sent?: object) {
  const response = await app.request(path, { method, headers, ...(sent ? { body: JSON.stringify(sent) } : {}) });
  return { status: response.status, body: (await response.json()) as Record<string, never> };
}

test("without a token set the interface is closed and says how to open it", async () => {
  const response = await appWith(null).request("/api/groups", { headers });
  expect(response.status).toBe(403);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(await response.json()).toMatchObject({
    code: "OPERATOR_DISABLED",
    detail: expect.stringContaining("OPERATOR_TOKEN"),
  });
});

test("a missing or wrong token is refused on every path below /api, known or not", async () => {
  for (const path of [
    "/api/groups",
    "/api/dead-letters",
    "/api/outbox",
    "/api/audit",
    "/api/topics/reminders/tail",
    "/api/x",
  ])
    for (const authorization of [undefined, "Bearer wrong", "Bearer", "Basic s3cret", "Bearer s3cret2"]) {
      const response = await app.request(path, authorization ? { headers: { authorization } } : {});
      expect([path, authorization, response.status]).toEqual([path, authorization, 401]);
    }
  expect((await app.request("/api/dead-letters/redrive", { method: "POST" })).status).toBe(401);
});

test("who guesses too often is refused for a while, with the right token too, and others are not", async () => {
  let now = 0;
  const policy = { name: "guesses", burst: 3, perSecond: 0.5 };
  const braked = appWith("s3cret", makeLimiter(policy, { now: () => now }));
  const ask = async (token: string, address = "10.0.0.1") => {
    const request = new Request("http://operator.test/api/x", { headers: { authorization: `Bearer ${token}` } });
    const { status, headers: told } = await braked.fetch(request, { address });
    return [status, told.get("retry-after")];
  };
  // The right one costs nothing.
  for (let i = 0; i < 5; i++) expect(await ask("s3cret")).toEqual([404, null]);
  // A page asks several times with what was typed once.
  for (let i = 0; i < 5; i++) expect(await ask("a")).toEqual([401, null]);
  const guesses = await Promise.all(["a", "b", "c", "d", "e"].map((guess) => ask(guess)));
  expect(guesses.map(([status]) => status)).toEqual([401, 401, 401, 429, 429]);
  expect(await ask("s3cret")).toEqual([429, "2"]);
  expect(await ask("s3cret", "10.0.0.2")).toEqual([404, null]);
  now = 2_000;
  expect(await ask("s3cret")).toEqual([404, null]);
});

test("the token is asked for before a body is read", async () => {
  let isRead = false;
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (out) => {
        isRead = true;
        out.enqueue(new Uint8Array(1_000));
      },
    },
    { highWaterMark: 0 },
  );
  const response = await app.request("/api/consumers/task-service/pause", { method: "POST", body });
  expect([response.status, isRead]).toEqual([401, false]);
});

test("what no database can hold is a mistake of the one who asks", async () => {
  for (const [path, mistake] of [
    ["/api/dead-letters?key=%00", "query.key has a NUL character"],
    ["/api/parked?topic=a%00b", "query.topic has a NUL character"],
    ["/api/outbox/held?topic=a&key=%00", "query.key has a NUL character"],
    ["/api/dead-letters?from=99999999999999999999h", "query.from must be RFC 3339 or an age such as 2h"],
    ["/api/dead-letters?to=0000-01-01", "query.to must be RFC 3339 or an age such as 2h"],
    ["/api/dead-letters?from=2026-01-02&to=2026-01-01", "query.to is not after from"],
    ["/api/audit?limit=1e1", "query.limit is not a whole number from 1 to 1000"],
    ["/api/audit?limit=1&limit=2", "query.limit is given more than once"],
  ]) {
    const { status, body } = await call("GET", path ?? "");
    expect([status, body["detail"]]).toEqual([422, mistake as never]);
  }
  expect((await call("GET", "/api/dead-letters/%00")).status).toBe(404);
  const nul = await call("POST", "/api/parked/skip", { group: "reminder-service", topic: "t", key: "\0" });
  expect(nul.status).toBe(422);
});

test("it tells what the command line tells", async () => {
  await world.die({ key: "a" });
  await world.park("reminder-service", "b", 2);
  const same = async (path: string, ...args: readonly string[]) =>
    expect((await call("GET", path)).body).toEqual(await world.ops.json<never>(...args));
  await same("/api/dead-letters/groups", "dlq", "groups");
  await same("/api/dead-letters?key=a", "dlq", "ls", "--key", "a");
  await same("/api/parked", "parked");
  await same("/api/audit", "audit");
  await same("/api/topics", "topics");
  await same("/api/schemas", "schemas");
  const { groups } = (await call("GET", "/api/groups")).body as unknown as { groups: object[] };
  expect(groups).toHaveLength(6);
  expect((await call("GET", "/api/outbox")).body).toMatchObject({ waiting: 0, holds: [] });
});

test("a redrive shows its plan, runs in the background, and is audited under the name given", async () => {
  const { id } = await world.die({ key: "a" });
  expect((await call("POST", "/api/dead-letters/redrive", {})).status).toBe(422);
  const dry = await call("POST", "/api/dead-letters/redrive", { filter: { key: "a" }, dryRun: true });
  expect(dry).toMatchObject({ status: 200, body: { dryRun: true, plan: { messages: 1, keys: 1 } } });
  const begun = await call("POST", "/api/dead-letters/redrive", { filter: { key: "a" }, reason: "fixed" });
  expect(begun).toMatchObject({ status: 202, body: { plan: { messages: 1 } } });
  expect(await call("POST", "/api/dead-letters/redrive", { id: begun.body["id"], dryRun: true })).toMatchObject({
    status: 422,
    body: { errors: [{ path: "/dryRun" }] },
  });
  const path = `/api/audit/${String(begun.body["id"])}`;
  const entry = await until("the redrive is done", async () => {
    const { body } = await call("GET", path);
    return body["state"] === "done" && body;
  });
  expect(entry).toMatchObject({ who: "grace", via: "http", reason: "fixed", progress: { moved: 1 } });
  expect((await call("GET", `/api/dead-letters/${id}`)).body).toMatchObject({
    state: "redriven",
    read: "as TaskUpdated",
  });
});

test("mistakes are named by their place, and what is not there answers 404", async () => {
  const wrong = await call("POST", "/api/dead-letters/redrive", { filter: { user: "me" }, rate: 0, speed: 1 });
  expect(wrong.status).toBe(422);
  expect((wrong.body["errors"] as unknown as { path: string }[]).map(({ path }) => path).toSorted()).toEqual([
    "/filter/user",
    "/rate",
    "/speed",
  ]);
  expect((await call("GET", "/api/dead-letters?from=yesterday")).status).toBe(422);
  expect((await call("GET", `/api/dead-letters/${crypto.randomUUID()}`)).status).toBe(404);
  expect((await call("POST", "/api/consumers/nobody/pause")).status).toBe(404);
  expect((await call("POST", "/api/outbox/release", {})).status).toBe(422);
  const { id } = await world.die();
  const edit = await call("POST", `/api/dead-letters/${id}/edit`, { data: { id: "x" } });
  expect(edit).toMatchObject({ status: 422, body: { code: "INVALID_REQUEST", errors: [{ path: "/data/id" }] } });
});

test("groups are paused, keys retried and holds released over it", async () => {
  expect((await call("POST", "/api/consumers/reminder-service/pause", { dryRun: true })).body).toMatchObject({
    auditId: null,
  });
  expect((await call("POST", "/api/consumers/reminder-service/pause")).body).toMatchObject({
    before: false,
    after: true,
  });
  await world.park("reminder-service", "a", 1);
  const place = { group: "reminder-service", topic: "task-events", key: "a" };
  expect((await call("POST", "/api/parked/retry", place)).body).toMatchObject({ done: 1 });
  expect((await call("POST", "/api/parked/release", {})).status).toBe(422);
  await world.db.sql`insert into outbox_holds (topic, key, reason) values ('task-events', 'a', 'too large')`;
  expect((await call("POST", "/api/outbox/release", { topic: "task-events", key: "a" })).body).toMatchObject({
    holds: [{ key: "a" }],
  });
  const reset = await call("POST", "/api/groups/notification-service/reset", { to: "earliest" });
  expect(reset).toMatchObject({ status: 409, body: { code: "REFUSED" } });
  expect((await world.audited()).map(({ who, via, action }) => `${who} ${via} ${action}`)).toEqual([
    "grace http consumers pause",
    "grace http parked retry",
    "grace http outbox release",
  ]);
});

test("topics and schemas are applied over it, and nothing is audited where nothing had to change", async () => {
  await world.broker.admin.alterConfigs("reminders", { "retention.ms": "60000" });
  const states = async () => JSON.stringify((await call("GET", "/api/topics")).body);
  await until("the drift", async () => (await states()).includes("differs"));
  const before = await world.audited();
  expect(await call("POST", "/api/topics/apply", { dryRun: true })).toMatchObject({
    status: 200,
    body: { applied: false },
  });
  expect(await world.ops.json<object>("topics", "apply", "--dry-run")).toMatchObject({ dryRun: true, applied: false });
  expect(await world.audited()).toHaveLength(before.length);
  expect((await call("POST", "/api/topics/apply", { reason: "drift" })).status).toBe(200);
  await until("the drift is mended", async () => !(await states()).includes("differs"));
  expect((await call("POST", "/api/schemas/apply")).body).toMatchObject({ applied: true });
  expect((await world.audited()).map(({ who, action, reason }) => [who, action, reason])).toEqual([
    ["grace", "topics apply", "drift"],
  ]);
});

test("a topic's tail shows its last records and then each new one, decoded", async () => {
  const send = async (title: string) => {
    await using producer = await world.broker.producer();
    const data = {
      id: crypto.randomUUID(),
      user_id: crypto.randomUUID(),
      updated_fields: { title },
      timestamp: new Date(0),
    };
    const names = { ce_type: "TaskUpdated", "content-type": "application/vnd.confluent.avro" };
    const own = Object.entries(names).map(([name, text]) => [name, Buffer.from(text)] as const);
    await producer.send([
      {
        topic: "task-events",
        timestamp: Date.now(),
        key: "k",
        value: world.codec.encode("TaskUpdated", data),
        headers: own,
      },
    ]);
  };
  await send("old");
  const leave = new AbortController();
  const response = await app.request("/api/topics/task-events/tail", { headers, signal: leave.signal });
  expect(response.headers.get("content-type")).toBe("text/event-stream");
  let seen = "";
  const reading = (async () => {
    for await (const bytes of response.body ?? []) seen += Buffer.from(bytes).toString();
  })();
  await until("the last record", () => seen.includes('"old"'));
  await send("new");
  await until("the new record", () => seen.includes('"read":"as TaskUpdated"') && seen.includes('"new"'));
  leave.abort();
  await reading;
  // A client that only drops its end is let go of, too: were it not, the suite would not end.
  const dropped = await app.request("/api/topics/task-events/tail", { headers });
  await dropped.body?.cancel();
  expect((await call("GET", "/api/topics/nothing/tail")).status).toBe(404);
});

test("a repartition is a plan unless it is said otherwise, then a job that the audit tells of", async () => {
  const ask = { topic: "series-events", to: 12 };
  const planned = await call("POST", "/api/topics/repartition", ask);
  expect(planned).toMatchObject({ status: 200, body: { dryRun: true, plan: { from: 6, to: 12, refusals: [] } } });
  const begun = await call("POST", "/api/topics/repartition", { ...ask, dryRun: false, reason: "grows" });
  expect(begun.status).toBe(202);
  const entry = async () => (await call("GET", `/api/audit/${begun.body["id"]}`)).body;
  await until("it is done", async () => (await entry())["state"] === "done", { timeoutMs: 20_000 });
  expect(await entry()).toMatchObject({ who: "grace", reason: "grows", progress: { step: "released" } });
  expect(await call("POST", "/api/topics/repartition/abort", { id: begun.body["id"] })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining("it was released") },
  });
  expect((await call("POST", "/api/topics/repartition", { topic: "reminders" })).status).toBe(422);
});
