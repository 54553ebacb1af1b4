import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { foldTask, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";
import { taskView } from "../../shared/tasks/task-view.ts";
import { until } from "../support/until.ts";
import { ada, ben, openWorld, type Answered, type Task, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.db.sql`truncate tasks, idempotency_keys, outbox`;
});

type Refusal = Readonly<{
  status: number;
  code: string;
  detail: string;
  instance: string;
  errors?: { path: string; message: string }[];
  current?: Task;
}>;
type Result = Readonly<{ status: number; id: string; version: number; task?: Task; problem?: Refusal }>;
type BatchSent = Readonly<{
  status: number;
  headers: Headers;
  results: readonly Result[];
  tempIds: unknown;
  body: Task;
}>;
type More = Readonly<{ atomic?: boolean; as?: string; key?: string; send?: World["send"] }>;

const batch = async (operations: unknown, { atomic, send = world.send, ...more }: More = {}): Promise<BatchSent> => {
  const body = { operations, ...(atomic === undefined ? {} : { atomic }) };
  const { status, headers, body: answered } = await send("POST", "/v1/batch", { body, ...more });
  const results = answered["results"] as readonly Result[]; // the answer of a batch, or of one that was not done
  return { status, headers, body: answered, results, tempIds: answered["temp_ids"] };
};
const make = async (body: object = {}, as = ada): Promise<Task> =>
  (await world.send("POST", "/v1/tasks", { body: { title: "milk", ...body }, as })).body;
const read = (id: string, as = ada): Promise<Answered> => world.send("GET", `/v1/tasks/${id}`, { as });
const told = async () => (await world.events()).map(({ type, sequence }) => `${type} ${sequence}`);
const statuses = (results: readonly Result[]) => results.map(({ status }) => status);
const codes = (results: readonly Result[]) => results.map(({ problem }) => problem?.code ?? "");

/** Every task of the table is what folding its events gives, and no version is left out. */
async function expectFolded(): Promise<void> {
  const states = new Map<string, FoldedTask | null>();
  const versions = new Map<string, number[]>();
  for (const { type, subject, sequence, data } of await world.events()) {
    versions.set(subject, [...(versions.get(subject) ?? []), sequence]);
    const revived = Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        typeof value === "string" && /_at$|^timestamp$|^due_date$/.test(name) ? new Date(value) : value,
      ]),
    );
    // JSON loses which strings were times; revived above, this is the event as a consumer sees it.
    const event = { type, subject, sequence, data: revived } as unknown as TaskEvent;
    states.set(subject, foldTask(states.get(subject) ?? null, event));
  }
  const rows = await world.db.sql<{ id: string; user_id: string; deleted: boolean }[]>`
    select id, user_id, deleted_at is not null as deleted from tasks`;
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set(states.keys()));
  for (const { id, user_id, deleted } of rows) {
    const state = states.get(id);
    if (!state) throw new Error(`no event made ${id}`);
    const seen = versions.get(id) ?? [];
    expect(seen).toEqual(seen.map((_, at) => at + 1));
    const view = { ...taskView(state), view_version: null };
    if (deleted) expect(view.deleted_at).not.toBeNull();
    else expect((await read(id, user_id)).body as unknown).toEqual(view);
  }
}

describe("the operations of a batch", () => {
  test("are done in their order, and answer what each by itself would", async () => {
    const old = await make();
    const { status, headers, results, tempIds } = await batch([
      { op: "create", temp_id: "party", task: { title: "party", due_date: "2099-01-01T10:00:00Z" } },
      { op: "update", id: "$party", patch: { tags: ["home"] } },
      { op: "complete", id: "$party" },
      { op: "update", id: old.id.toUpperCase(), patch: { due_date: "2099-01-02T10:00:00Z" } },
      { op: "create", task: { title: "cake" } },
      { op: "reopen", id: "$party" },
      { op: "delete", id: old.id },
      { op: "delete", id: old.id },
    ]);
    expect([status, headers.get("x-events-made")]).toEqual([200, "7"]);
    const party = results[0]?.id ?? "";
    expect(tempIds).toEqual({ party });
    expect(results.map(({ status, id, version, task }) => [status, id, version, task !== undefined])).toEqual([
      [201, party, 1, true],
      [200, party, 2, false],
      [200, party, 3, false],
      [200, old.id, 2, false],
      [201, results[4]?.id ?? "", 1, true],
      [200, party, 4, true],
      [204, old.id, 3, false],
      [204, old.id, 3, false],
    ]);
    expect(results[0]?.task).toMatchObject({
      title: "party",
      tags: [],
      version: 1,
      first_occurrence: null,
      reminders: [{ id: ruleReminderId(party, "PT0S"), rule: "PT0S", remind_at: "2099-01-01T10:00:00.000Z" }],
      unset_reminders: [],
    });
    expect(results[5]?.task as unknown).toEqual((await read(party)).body);
    expect((await read(old.id)).status).toBe(404);
    expect(world.notified()).toBeGreaterThan(0);
    await expectFolded();
  });

  test("of one task are successive versions, told in order", async () => {
    const task = await make();
    const titles = ["a", "b", "b", "c"];
    const { results } = await batch(titles.map((title) => ({ op: "update", id: task.id, patch: { title } })));
    expect(results.map(({ version }) => version)).toEqual([2, 3, 3, 4]);
    expect(await told()).toEqual(["TaskCreated 1", "TaskUpdated 2", "TaskUpdated 3", "TaskUpdated 4"]);
    await expectFolded();
  });

  test("that fail change nothing and say why; the others are done", async () => {
    const done = await make();
    const gone = await make();
    await world.send("DELETE", `/v1/tasks/${gone.id}`);
    const template = await make({ recurrence_pattern: "daily" });
    const strange = await make({}, ben);
    const { results, tempIds } = await batch([
      { op: "complete", id: strange.id },
      { op: "complete", id: gone.id },
      { op: "create", temp_id: "bad", task: { title: "x", due_date: "2030-01-01T10:00" } },
      { op: "complete", id: "$bad" },
      { op: "complete", id: template.id },
      { op: "update", id: template.id, patch: { recurrence_pattern: "weekly" } },
      { op: "update", id: template.id, patch: { recurrence_pattern: null } },
      { op: "update", id: template.id, patch: { is_recurring_template: false } },
      { op: "update", id: template.id, patch: { title: "every day" } },
      { op: "complete", id: done.id, if_match: 1 },
      { op: "complete", id: done.id, if_match: 1 },
      { op: "delete", id: strange.id },
      { op: "delete", id: crypto.randomUUID() },
    ]);
    expect(statuses(results)).toEqual([404, 404, 422, 424, 409, 422, 422, 422, 200, 200, 412, 404, 404]);
    expect(codes(results)).toEqual([
      "TASK_NOT_FOUND",
      "TASK_NOT_FOUND",
      "INVALID_REQUEST",
      "DEPENDENCY_FAILED",
      "TASK_IS_TEMPLATE",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "INVALID_REQUEST",
      "",
      "",
      "VERSION_MISMATCH",
      "TASK_NOT_FOUND",
      "TASK_NOT_FOUND",
    ]);
    expect(tempIds).toEqual({});
    const paths = results.flatMap(({ problem }) => problem?.errors?.map(({ path }) => path) ?? []);
    expect(paths).toEqual([
      "/operations/2/task/due_date",
      "/operations/5/patch/recurrence_pattern",
      "/operations/6/patch/recurrence_pattern",
      "/operations/7/patch/is_recurring_template",
    ]);
    expect(results[3]?.problem?.detail).toBe("The create at /operations/2 failed");
    expect(results[10]?.problem?.current).toMatchObject({ id: done.id, version: 2, status: "completed" });
    expect((await read(strange.id, ben)).body).toMatchObject({ version: 1, status: "open" });
    await expectFolded();
  });

  test("make templates, whose first occurrence is known to the database", async () => {
    const plain = await make();
    const pattern = { rrule: "FREQ=DAILY", start: "2099-01-01T09:00", tz: "UTC", catch_up: "all", max_open: 5 };
    const { results, headers } = await batch([
      { op: "create", task: { title: "a", recurrence_pattern: pattern } },
      { op: "update", id: plain.id, patch: { recurrence_pattern: pattern } },
    ]);
    expect([statuses(results), headers.get("x-events-made")]).toEqual([[201, 200], "10"]);
    const first = results[0]?.task?.["first_occurrence"] as Task; // of a template there is one
    expect(first).toMatchObject({ recurrence_id: "2099-01-01T09:00:00" });
    expect(await world.db.sql`select id from tasks where first_occurrence = ${first.id}`).toMatchObject([
      { id: results[0]?.id },
    ]);
    // It must come, so it is waited for, and nothing is done before it is there.
    const early = await batch([
      { op: "complete", id: first.id },
      { op: "delete", id: plain.id },
    ]);
    expect([early.status, early.body["code"]]).toEqual([503, "UNAVAILABLE"]);
    expect((await read(plain.id)).status).toBe(200);
    await expectFolded();
  }, 20_000);

  test("get versions above what may have been told before the database went back in time", async () => {
    const task = await make();
    const { sql } = world.db;
    await sql`update database_history set timeline = '0000FFFF'`;
    try {
      const { results } = await batch([
        { op: "complete", id: task.id },
        { op: "reopen", id: task.id },
      ]);
      expect(results.map(({ version }) => version)).toEqual([1_000_000_001, 1_000_000_002]);
    } finally {
      await sql`update database_history set timeline = database_timeline()`;
    }
  });

  test("may be 500, which are one transaction; new tasks are listed in their order", async () => {
    const old = await batch(Array.from({ length: 200 }, (_, n) => ({ op: "create", task: { title: `old ${n}` } })));
    const { status, results } = await batch([
      ...Array.from({ length: 150 }, (_, n) => ({ op: "create", temp_id: `t${n}`, task: { title: `new ${n}` } })),
      ...Array.from({ length: 150 }, (_, n) => ({ op: "complete", id: `$t${n}` })),
      ...old.results.map(({ id }) => ({ op: "update", id, patch: { priority: "High" } })),
    ]);
    expect([status, results.length, new Set(statuses(results))]).toEqual([200, 500, new Set([200, 201])]);
    const { items } = (await world.send("GET", "/v1/tasks?limit=150")).body;
    expect(items.map(({ title }) => title)).toEqual(Array.from({ length: 150 }, (_, n) => `new ${149 - n}`));
    const rows = await world.db.sql`select distinct xmin::text from tasks`;
    expect(rows).toHaveLength(1);
    expect(await world.events()).toHaveLength(700);
    await expectFolded();
  }, 60_000);

  test("may not name tasks with more text than one reads and writes at once", async () => {
    const description = "\u597d".repeat(20_000);
    const large = [];
    for (let n = 0; n < 4; n++) {
      const creates = Array.from({ length: 10 }, () => ({ op: "create", task: { title: "x", description } }));
      large.push(...(await batch(creates)).results.map(({ id }) => id));
    }
    const { status, body } = await batch(large.map((id) => ({ op: "complete", id })));
    expect([status, body["errors"]]).toMatchObject([
      422,
      [{ path: "/operations", message: expect.stringContaining("more than 2000000 bytes of text") }],
    ]);
    const fewer = await batch(large.slice(0, 30).map((id) => ({ op: "complete", id })));
    expect(statuses(fewer.results)).toEqual(Array(30).fill(200));
    expect(
      (
        await batch(
          large.map((id) => ({ op: "complete", id })),
          { as: ben },
        )
      ).status,
    ).toBe(200);
    await expectFolded();
  }, 60_000);

  test("may have some recurrence patterns, counted before any is read", async () => {
    const weekly = { op: "create", task: { title: "a", recurrence_pattern: "weekly" } };
    expect((await batch(Array.from({ length: 16 }, () => weekly))).status).toBe(200);
    const many = await batch(Array.from({ length: 17 }, () => ({ ...weekly, task: { recurrence_pattern: "never" } })));
    expect([many.status, many.body["errors"]]).toMatchObject([
      422,
      [{ path: "/operations", message: "have more than 16 recurrence patterns: send fewer at once" }],
    ]);
    const rrule = `FREQ=DAILY;COUNT=${"0".repeat(6000)}1`;
    const long = { op: "update", id: ada, patch: { recurrence_pattern: { rrule, start: "2099-01-01", tz: "UTC" } } };
    expect((await batch([long])).body["errors"]).not.toMatchObject([{ path: "/operations" }]);
    expect((await batch([long, long])).body["errors"]).toMatchObject([
      { path: "/operations", message: expect.stringContaining("10000 characters together") },
    ]);
  });

  test("of an event that cannot be encoded stop the whole batch", async () => {
    const task = await make();
    const answer = await batch([
      { op: "complete", id: task.id },
      { op: "create", task: { title: "unencodable" } },
    ]);
    expect([answer.status, answer.body["code"]]).toEqual([500, "INTERNAL"]);
    expect((await read(task.id)).body).toMatchObject({ version: 1 });
  });
});

describe("an atomic batch", () => {
  test("is done whole, or not at all, and names what failed", async () => {
    const task = await make();
    const operations = [
      { op: "create", temp_id: "a", task: { title: "a" } },
      { op: "update", id: task.id, patch: { title: "b" }, if_match: 7 },
      { op: "complete", id: "$a" },
    ];
    const refused = await batch(operations, { atomic: true, key: "k" });
    expect([refused.status, refused.body["code"]]).toEqual([409, "BATCH_NOT_DONE"]);
    expect(refused.body["errors"]).toEqual([{ path: "/operations/1", message: "failed: The task is at version 1" }]);
    expect(statuses(refused.results)).toEqual([424, 412, 424]);
    expect(codes(refused.results)).toEqual(["DEPENDENCY_FAILED", "VERSION_MISMATCH", "DEPENDENCY_FAILED"]);
    expect(refused.results[0]?.problem?.detail).toContain("/operations/1");
    expect(refused.results[1]?.problem?.current).toMatchObject({ id: task.id, version: 1 });
    expect(await told()).toEqual(["TaskCreated 1"]);
    // A failure is not kept under the key: the corrected tasks may let the same request pass.
    for (let version = 2; version <= 7; version++)
      await world.send("PATCH", `/v1/tasks/${task.id}`, { body: { title: `v${version}` } });
    const done = await batch(operations, { atomic: true, key: "k" });
    expect([done.status, statuses(done.results)]).toEqual([200, [201, 200, 200]]);
    await expectFolded();
  });
});

test("any name of a new task is answered", async () => {
  const names = ["__proto__", "constructor", "a"];
  const { body } = await batch(names.map((temp_id) => ({ op: "create", temp_id, task: { title: temp_id } })));
  expect(Object.keys(body["temp_ids"] as object)).toEqual(names);
});

describe("the same batch again", () => {
  test("gives the same answer, and is done once; another one with the key is refused", async () => {
    const operations = [
      { op: "create", temp_id: "a", task: { title: "a" } },
      { op: "complete", id: crypto.randomUUID() },
    ];
    const first = await batch(operations, { key: "k" });
    // Another process: the one that did it may have died after its commit.
    const again = await batch(operations, { key: "k", send: await world.another() });
    expect([again.status, again.body, again.headers.get("idempotent-replayed")]).toEqual([200, first.body, "true"]);
    expect(again.headers.get("x-events-made")).toBeNull();
    expect(await told()).toEqual(["TaskCreated 1"]);
    const other = await batch(operations, { key: "k", atomic: true });
    expect([other.status, other.body["code"]]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    expect((await batch(operations, { key: "k", as: ben })).headers.get("idempotent-replayed")).toBeNull();
  });

  test.each(["creates alone", "changes too"])(
    "at once, from two processes, is done once: %s",
    async (what) => {
      const other = await world.another();
      const task = await make();
      const operations = [
        ...["a", "b", "c"].map((title) => ({ op: "create", task: { title } })),
        ...(what === "changes too" ? [{ op: "update", id: task.id, patch: { title: "x" } }] : []),
      ];
      const answers = await Promise.all(
        Array.from({ length: 6 }, (_, n) => batch(operations, { key: "race", send: n % 2 ? other : world.send })),
      );
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ results }) => JSON.stringify(results))).size).toBe(1);
      expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
      expect(await world.events()).toHaveLength(1 + operations.length);
      await expectFolded();
    },
    20_000,
  );
});

test("a batch locks its tasks in the order of their ids: one that waits for the first holds no other", async () => {
  const [first = "", second = ""] = [(await make()).id, (await make()).id].toSorted();
  // So that its row lies behind the other's: an order by chance would be the other one.
  await world.send("PATCH", `/v1/tasks/${first}`, { body: { title: "later in the table" } });
  const [held, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holder = world.db.transaction(async (tx) => {
    await tx`select from tasks where id = ${first} for update`;
    held.resolve();
    await mayEnd.promise;
  });
  await held.promise;
  const waiting = batch([second, first].map((id) => ({ op: "complete", id })));
  const { sql } = world.db;
  await until("the batch waits", async () => {
    const rows = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    return rows.length > 0;
  });
  expect(await sql`select id from tasks where id = ${second} for update skip locked`).toMatchObject([{ id: second }]);
  mayEnd.resolve();
  await holder;
  expect(statuses((await waiting).results)).toEqual([200, 200]);
}, 20_000);

test("batches of two processes that name the same tasks in opposite order, and changes beside them, are all done", async () => {
  const other = await world.another();
  const tasks = await Promise.all(Array.from({ length: 20 }, () => make()));
  const named = (n: number) => (n % 2 ? tasks : tasks.toReversed());
  const batches = Array.from({ length: 10 }, (_, n) =>
    batch(
      named(n).map(({ id }) => ({ op: "update", id, patch: { title: `batch ${n}` } })),
      { send: n % 2 ? other : world.send },
    ),
  );
  const singles = tasks.map(({ id }) => other("PATCH", `/v1/tasks/${id}`, { body: { priority: "High" } }));
  expect((await Promise.all(batches)).flatMap(({ results }) => statuses(results))).toEqual(Array(200).fill(200));
  expect((await Promise.all(singles)).map(({ status }) => status)).toEqual(Array(20).fill(200));
  await expectFolded();
}, 60_000);

test.each<[string, unknown, string, string]>([
  ["no operation", [], "/operations", "at least 1"],
  ["too many", Array.from({ length: 501 }, () => ({ op: "delete", id: ada })), "/operations", "at most 500"],
  ["no op", [{ id: ada }], "/operations/0/op", "is not create, update, complete, reopen or delete"],
  ["an unknown op", [{ op: "undo", id: ada }], "/operations/0/op", "is not create, update"],
  ["no object", ["delete"], "/operations/0", "is not an object"],
  [
    "a task's mistake",
    [
      { op: "delete", id: ada },
      { op: "create", task: { title: "" } },
    ],
    "/operations/1/task/title",
    "is empty",
  ],
  ["a patch's mistake", [{ op: "update", id: ada, patch: { tags: [1] } }], "/operations/0/patch/tags/0", "is not text"],
  ["an unknown field", [{ op: "delete", id: ada, scope: "all" }], "/operations/0/scope", "is not a field here"],
  [
    "an unknown field of the task",
    [{ op: "create", task: { title: "a", x: 1 } }],
    "/operations/0/task/x",
    "is not a field here",
  ],
  ["no id", [{ op: "complete" }], "/operations/0/id", "is missing"],
  ["no UUID", [{ op: "complete", id: "7" }], "/operations/0/id", "is neither a UUID"],
  ["a weak version", [{ op: "complete", id: ada, if_match: '"1"' }], "/operations/0/if_match", "is not a number"],
  [
    "a temp_id with blanks",
    [{ op: "create", temp_id: "a b", task: { title: "a" } }],
    "/operations/0/temp_id",
    "visible",
  ],
  [
    "a temp_id twice",
    ["a", "a"].map((temp_id) => ({ op: "create", temp_id, task: { title: "a" } })),
    "/operations/1/temp_id",
    "is that of another create",
  ],
  [
    "a name that comes later",
    [
      { op: "complete", id: "$a" },
      { op: "create", temp_id: "a", task: { title: "a" } },
    ],
    "/operations/0/id",
    "names no create before it",
  ],
])("%s is refused by its place, and nothing is done", async (_what, operations, path, message) => {
  const { status, body } = await batch(operations);
  expect([status, body["errors"]]).toEqual([422, [{ path, message: expect.stringContaining(message) }]]);
  expect(await world.events()).toEqual([]);
});
