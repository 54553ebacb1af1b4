import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { foldTask, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";
import { taskView } from "../../shared/tasks/task-view.ts";
import { pruneAnswers } from "../../workers/task-service/prune-answers.ts";
import { ada, ben, openWorld, type Answered, type Task, type World } from "./task-service-world.ts";

let world: World;
beforeAll(async () => {
  world = await openWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  await world.db.sql`truncate tasks, idempotency_keys, outbox`;
});

const make = async (body: Record<string, unknown> = {}, more: { as?: string; key?: string } = {}): Promise<Task> => {
  const answer = await world.send("POST", "/v1/tasks", { body: { title: "milk", ...body }, ...more });
  expect(answer.status).toBe(201);
  return answer.body;
};
const patch = (task: Task, body: unknown, more: { ifMatch?: string; key?: string; as?: string } = {}) =>
  world.send("PATCH", `/v1/tasks/${task.id}`, { body, ...more });
const told = async () => (await world.events()).map(({ type, sequence }) => `${type} ${sequence}`);

/** What folding the events of the outbox gives for a task. */
async function folded(id: string): Promise<unknown> {
  let state: FoldedTask | null = null;
  for (const { type, subject, sequence, data } of await world.events()) {
    if (subject !== id) continue;
    const revived = Object.fromEntries(
      Object.entries(data).map(([name, value]) => [
        name,
        typeof value === "string" && /_at$|^timestamp$|^due_date$/.test(name) ? new Date(value) : value,
      ]),
    );
    // JSON loses which strings were times; revived above, this is the event as a consumer sees it.
    state = foldTask(state, { type, subject, sequence, data: revived } as unknown as TaskEvent);
  }
  // The broadcaster does not run here.
  return state && { ...taskView(state), view_version: null };
}

describe("the version of a task's view", () => {
  test("comes with every answer: of the newest view told by then, null before there was one", async () => {
    const { sql } = world.db;
    const made = await world.send("POST", "/v1/tasks", { body: { title: "milk" } });
    const { id } = made.body;
    const other = await world.send("POST", "/v1/tasks", { body: { title: "bread" } });
    expect([made.body["view_version"], other.body["view_version"]]).toEqual([null, null]);
    await sql`insert into task_views (task_id, user_id, view_version) values (${id}, ${ada}, 7)`;
    expect((await world.send("GET", `/v1/tasks/${id}`)).body["view_version"]).toBe(7);
    const { items } = (await world.send("GET", "/v1/tasks")).body;
    expect(items.filter((task) => [id, other.body.id].includes(task.id)).map((task) => task["view_version"])).toEqual([
      null,
      7,
    ]);
    const key = crypto.randomUUID();
    const change = () => world.send("PATCH", `/v1/tasks/${id}`, { body: { title: "oats" }, key });
    expect((await change()).body).toMatchObject({ title: "oats", version: 2, view_version: 7 });
    await sql`update task_views set view_version = 8 where task_id = ${id}`;
    // What was answered is answered again.
    expect((await change()).body).toMatchObject({ version: 2, view_version: 7 });
    expect((await world.send("POST", `/v1/tasks/${id}/complete`)).body).toMatchObject({ version: 3, view_version: 8 });
    const refused = await world.send("PATCH", `/v1/tasks/${id}`, { body: { title: "x" }, ifMatch: '"1"' });
    expect([refused.status, refused.body["current"]]).toMatchObject([412, { version: 3, view_version: 8 }]);
  });
});

test("after the database went back in time the next version of a task is above what may have been told", async () => {
  const task = await make();
  const { sql } = world.db;
  await sql`update database_history set timeline = '0000FFFF'`;
  try {
    expect((await patch(task, { title: "oats" })).body).toMatchObject({ version: 1_000_000_001 });
    expect((await patch(task, { title: "rye" }, { key: crypto.randomUUID() })).body["version"]).toBe(1_000_000_002);
    const other = await make();
    const key = crypto.randomUUID();
    expect((await patch(other, { title: "oats" }, { key })).body["version"]).toBe(1_000_000_001);
    expect(await told()).toContain("TaskUpdated 1000000002");
  } finally {
    await sql`update database_history set timeline = database_timeline()`;
  }
});

describe("a task over its life", () => {
  test("is made with everything it was given, with one event, address and tag", async () => {
    const answer = await world.send("POST", "/v1/tasks", {
      body: {
        title: "  milk ",
        description: "two",
        due_date: "2026-12-31T18:00:00+01:00",
        priority: "High",
        tags: ["a,b", 'c"d', "{e}", "\\", "a,b", "NULL", ""].filter(Boolean),
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({
      user_id: ada,
      title: "milk",
      description: "two",
      due_date: "2026-12-31T17:00:00.000Z",
      priority: "High",
      tags: ["a,b", 'c"d', "{e}", "\\", "NULL"],
      status: "open",
      is_recurring_template: false,
      version: 1,
    });
    expect(answer.headers.get("location")).toBe(`/v1/tasks/${answer.body.id}`);
    expect(answer.headers.get("etag")).toBe('"1"');
    const read = await world.send("GET", `/v1/tasks/${answer.body.id}`);
    const coming = {
      first_occurrence: null,
      reminders: [{ id: ruleReminderId(answer.body.id, "PT0S"), rule: "PT0S", remind_at: "2026-12-31T17:00:00.000Z" }],
      unset_reminders: [],
    };
    expect(answer.body).toEqual({ ...read.body, ...coming });
    expect(read.headers.get("etag")).toBe('"1"');
    expect(await told()).toEqual(["TaskCreated 1"]);
    expect(await folded(answer.body.id)).toEqual(read.body);
  });

  test("every change is one event, and folding them gives what the API says", async () => {
    const task = await make({ due_date: "2027-01-01T00:00:00Z", tags: ["x"] });
    await patch(task, { title: "bread", due_date: null, priority: "Low", tags: [], description: "d" });
    await world.send("POST", `/v1/tasks/${task.id}/complete`);
    await world.send("POST", `/v1/tasks/${task.id}/reopen`);
    const last = await patch(task, { recurrence_pattern: "weekly", due_date: "2027-02-01T09:00:00Z" });
    expect(last.body).toMatchObject({
      version: 5,
      status: "open",
      completed_at: null,
      is_recurring_template: true,
      recurrence_pattern: { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2027-02-01T09:00:00" },
    });
    expect(await told()).toEqual([
      "TaskCreated 1",
      "TaskUpdated 2",
      "TaskCompleted 3",
      "TaskUpdated 4",
      "TaskUpdated 5",
    ]);
    expect(await folded(task.id)).toEqual(last.body);
    expect((await world.send("GET", `/v1/tasks/${task.id}`)).body).toEqual(last.body);
    expect((await world.send("DELETE", `/v1/tasks/${task.id}`)).status).toBe(204);
    expect(await folded(task.id)).toMatchObject({ version: 6, deleted_at: expect.any(String) });
  });

  test("what changes nothing makes no event", async () => {
    const task = await make({ due_date: "2027-01-01T00:00:00Z", tags: ["a"], recurrence_pattern: "daily" });
    for (const body of [
      {},
      { title: " milk" },
      { due_date: "2027-01-01T01:00:00+01:00", tags: ["a", "a"], description: null },
      { recurrence_pattern: "daily" },
    ]) {
      const answer = await patch(task, body);
      expect([answer.status, answer.body.version]).toEqual([200, 1]);
    }
    const plain = await make();
    await world.send("POST", `/v1/tasks/${plain.id}/reopen`);
    await world.send("POST", `/v1/tasks/${plain.id}/complete`);
    const again = await world.send("POST", `/v1/tasks/${plain.id}/complete`);
    expect([again.status, again.body["status"], again.body.version]).toEqual([200, "completed", 2]);
    expect(await told()).toEqual(["TaskCreated 1", "TaskCreated 1", "TaskCompleted 2"]);
  });

  test("a change of the due or of the rules tells those that make no reminder", async () => {
    const { id } = (await world.send("POST", "/v1/tasks", { body: { title: "a" } })).body;
    const unset = async (body: object) =>
      (await world.send("PATCH", `/v1/tasks/${id}`, { body })).body["unset_reminders"];
    expect(await unset({ remind: ["P1D"] })).toEqual([{ rule: "P1D", remind_at: null, reason: "no_due" }]);
    const soon = new Date(Date.now() + 3_600_000);
    expect(await unset({ due_date: soon.toISOString() })).toMatchObject([{ rule: "P1D", reason: "past" }]);
    expect(await unset({ due_date: "2099-03-02T09:00:00Z", remind: ["PT24H", "P1D"] })).toEqual([
      { rule: "PT24H", remind_at: "2099-03-01T09:00:00.000Z", reason: "same_time" },
    ]);
    expect(await unset({ remind: ["PT24H"] })).toBeUndefined();
    await world.send("POST", `/v1/tasks/${id}/complete`);
    expect(await unset({ remind: ["PT1H"] })).toMatchObject([{ rule: "PT1H", reason: "completed" }]);
  });
  test("a deleted task answers 404, and deleting it again 204", async () => {
    const task = await make();
    expect((await world.send("DELETE", `/v1/tasks/${task.id}`)).status).toBe(204);
    expect((await world.send("DELETE", `/v1/tasks/${task.id}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["PATCH", ""],
      ["POST", "/complete"],
      ["POST", "/reopen"],
    ] as const) {
      const answer = await world.send(
        method,
        `/v1/tasks/${task.id}${path}`,
        method === "PATCH" ? { body: { title: "x" } } : {},
      );
      expect([answer.status, answer.body["code"]]).toEqual([404, "TASK_NOT_FOUND"]);
    }
    expect(await told()).toEqual(["TaskCreated 1", "TaskDeleted 2"]);
  });

  test("another's task is not there, whatever is tried", async () => {
    const task = await make({}, { as: ben });
    const before = await world.events();
    for (const [method, path, body] of [
      ["GET", "", undefined],
      ["PATCH", "", { title: "mine" }],
      ["DELETE", "", undefined],
      ["POST", "/complete", undefined],
    ] as const)
      expect((await world.send(method, `/v1/tasks/${task.id}${path}`, { body, key: `k-${method}` })).status).toBe(404);
    expect((await world.send("GET", "/v1/tasks")).body.items).toEqual([]);
    expect(await world.events()).toEqual(before);
  });

  test("an event that cannot be encoded stops the write and is set aside", async () => {
    const answer = await world.send("POST", "/v1/tasks", { body: { title: "unencodable" }, key: "k" });
    expect([answer.status, answer.body["code"]]).toEqual([500, "INTERNAL"]);
    expect((await world.send("GET", "/v1/tasks")).body.items).toEqual([]);
    expect((await world.events()).map(({ topic, type }) => ({ topic, type }))).toEqual([
      { topic: "task-events-dlq", type: "TaskCreated" },
    ]);
  });
});

describe("versions", () => {
  test("a stale If-Match changes nothing and is told the task as it is", async () => {
    const task = await make();
    const fresh = await patch(task, { title: "bread" }, { ifMatch: '"1"' });
    expect([fresh.status, fresh.headers.get("etag")]).toEqual([200, '"2"']);
    for (const ifMatch of ['"1"', 'W/"2"', '"abc"', '"1", "3"']) {
      const stale = await patch(task, { title: "no" }, { ifMatch });
      expect([stale.status, stale.body["code"], stale.body["current"]]).toEqual([412, "VERSION_MISMATCH", fresh.body]);
    }
    for (const verb of ["complete", "reopen"])
      expect((await world.send("POST", `/v1/tasks/${task.id}/${verb}`, { ifMatch: '"1"' })).status).toBe(412);
    expect((await world.send("DELETE", `/v1/tasks/${task.id}`, { ifMatch: '"1"' })).status).toBe(412);
    expect((await patch(task, { title: "any" }, { ifMatch: "*" })).status).toBe(200);
    expect((await patch(task, { title: "one of" }, { ifMatch: '"9", "3"' })).status).toBe(200);
    const malformed = await patch(task, { title: "x" }, { ifMatch: "3" });
    expect([malformed.status, malformed.body["errors"]]).toMatchObject([422, [{ path: "header.if-match" }]]);
  });

  test("64 that change one task at once from two processes lose nothing: each wins one version", async () => {
    const task = await make();
    const other = await world.another();
    const writers = Array.from({ length: 64 }, async (_, n) => {
      const send = n % 2 === 0 ? world.send : other;
      for (;;) {
        const now = await send("GET", `/v1/tasks/${task.id}`);
        const tags = [...(now.body["tags"] as string[]), `t${n}`].slice(-50);
        const description = `${String(now.body["description"] ?? "")} ${n}`;
        const answer = await send("PATCH", `/v1/tasks/${task.id}`, {
          body: { tags, description },
          ifMatch: `"${now.body.version}"`,
        });
        if (answer.status === 200) return answer.body.version;
        expect(answer.status).toBe(412);
      }
    });
    const versions = await Promise.all(writers);
    expect(versions.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, n) => n + 2));
    const after = await world.send("GET", `/v1/tasks/${task.id}`);
    const words = String(after.body["description"]).trim().split(" ").map(Number);
    expect(words.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, n) => n));
    const sequences = (await world.events()).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 65 }, (_, n) => n + 1));
  }, 60_000);

  test("64 blind changes at once from two processes all happen, one after another", async () => {
    const task = await make();
    const other = await world.another();
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) =>
        (n % 2 === 0 ? world.send : other)("PATCH", `/v1/tasks/${task.id}`, { body: { title: `t${n}` } }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.version)).size).toBe(64);
    expect(await folded(task.id)).toEqual((await world.send("GET", `/v1/tasks/${task.id}`)).body);
  }, 60_000);
});

describe("the same request again", () => {
  const same = (one: Answered, two: Answered) => {
    expect(two.status).toBe(one.status);
    expect(two.body).toEqual(one.body);
    for (const name of ["etag", "location"]) expect(two.headers.get(name)).toBe(one.headers.get(name));
    expect([one.headers.get("idempotent-replayed"), two.headers.get("idempotent-replayed")]).toEqual([null, "true"]);
  };

  test("makes one task, and answers alike for every kind of write", async () => {
    const create = () => world.send("POST", "/v1/tasks", { body: { title: "milk" }, key: "k1" });
    const first = await create();
    same(first, await create());
    const { id } = first.body;
    const writes = [
      ["PATCH", `/v1/tasks/${id}`, { title: "bread" }, '"1"'],
      ["PATCH", `/v1/tasks/${id}`, { title: "bread" }, '"2"'],
      ["POST", `/v1/tasks/${id}/complete`, undefined, '"2"'],
      ["POST", `/v1/tasks/${id}/reopen`, undefined, '"3"'],
      ["DELETE", `/v1/tasks/${id}`, undefined, '"4"'],
    ] as const;
    for (const [n, [method, path, body, ifMatch]] of writes.entries()) {
      const write = () => world.send(method, path, { body, ifMatch, key: `w${n}` });
      same(await write(), await write());
    }
    expect(await told()).toEqual([
      "TaskCreated 1",
      "TaskUpdated 2",
      "TaskCompleted 3",
      "TaskUpdated 4",
      "TaskDeleted 5",
    ]);
  });

  test("a replay says what was said then, even after the task has changed", async () => {
    const task = await make();
    const unchanged = await patch(task, { title: "milk" }, { key: "k" });
    await patch(task, { title: "bread" });
    const again = await patch(task, { title: "milk" }, { key: "k" });
    same(unchanged, again);
    expect(again.body.version).toBe(1);
  });

  test("a key used for another request is refused, for another user it is another key", async () => {
    await make({}, { key: "k" });
    const other = await world.send("POST", "/v1/tasks", { body: { title: "bread" }, key: "k" });
    expect([other.status, other.body["code"]]).toEqual([422, "IDEMPOTENCY_KEY_REUSED"]);
    const task = await make({}, { key: "k", as: ben });
    expect((await patch(task, { title: "milk" }, { key: "k", as: ben })).body["code"]).toBe("IDEMPOTENCY_KEY_REUSED");
    const malformed = await world.send("POST", "/v1/tasks", { body: { title: "x" }, key: "a b" });
    expect([malformed.status, malformed.body["errors"]]).toMatchObject([422, [{ path: "header.idempotency-key" }]]);
    expect(await told()).toEqual(["TaskCreated 1", "TaskCreated 1"]);
  });

  test("20 identical creates at once, from two processes, make one task and one event", async () => {
    const other = await world.another();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? world.send : other)("POST", "/v1/tasks", { body: { title: "milk" }, key: "race" }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotent-replayed") === null)).toHaveLength(1);
    expect(await told()).toEqual(["TaskCreated 1"]);
    expect((await world.send("GET", "/v1/tasks")).body.items).toHaveLength(1);
  });

  test("20 identical changes at once, from two processes, make one version", async () => {
    const task = await make();
    const other = await world.another();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        (n % 2 === 0 ? world.send : other)("PATCH", `/v1/tasks/${task.id}`, {
          body: { title: "bread" },
          key: "race",
          ifMatch: '"1"',
        }),
      ),
    );
    expect(answers.map(({ status, body }) => `${status} ${body.version}`)).toEqual(Array(20).fill("200 2"));
    expect(await told()).toEqual(["TaskCreated 1", "TaskUpdated 2"]);
  });

  test("a request that waits for a key held by another gives up after 5 s; asked again, there is one task", async () => {
    const held = Promise.withResolvers<void>();
    const mayEnd = Promise.withResolvers<void>();
    const holder = world.db.transaction(async (tx) => {
      await tx`insert into idempotency_keys (user_id, key, fingerprint, task_id, status) values (${ada}, 'held', 'f', ${ada}, 201)`;
      held.resolve();
      await mayEnd.promise;
      throw new Error("rolled back");
    });
    holder.catch(() => {});
    await held.promise;
    const started = performance.now();
    const answer = await world.send("POST", "/v1/tasks", { body: { title: "milk" }, key: "held" });
    expect([answer.status, answer.body["code"]]).toEqual([409, "IDEMPOTENCY_IN_PROGRESS"]);
    expect(performance.now() - started).toBeLessThan(7000);
    mayEnd.resolve();
    await expect(holder).rejects.toThrow("rolled back");
    const again = await world.send("POST", "/v1/tasks", { body: { title: "milk" }, key: "held" });
    expect(again.status).toBe(201);
    expect(await told()).toEqual(["TaskCreated 1"]);
  }, 20_000);

  test("answers are kept a day and then pruned", async () => {
    await make({}, { key: "old" });
    await make({}, { key: "new" });
    await world.db
      .sql`update idempotency_keys set created_at = clock_timestamp() - interval '25 hours' where key = 'old'`;
    expect(await pruneAnswers(world.db)).toBe(1);
    expect(await world.db.sql`select key from idempotency_keys`).toMatchObject([{ key: "new" }]);
  });
});

describe("lists", () => {
  test("pages go from new to old, once each, while tasks are made and deleted in between", async () => {
    const made: Task[] = [];
    for (let n = 0; n < 25; n++) made.push(await make({ title: `t${n}` }));
    const seen: string[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page: Answered = await world.send("GET", `/v1/tasks?limit=10${cursor && `&cursor=${cursor}`}`);
      seen.push(...page.body.items.map(({ id }) => id));
      cursor = page.body.next_cursor;
      await make({ title: "later" });
      const first = page.body.items[0];
      if (first) await world.send("DELETE", `/v1/tasks/${first.id}`);
    }
    expect(seen).toEqual(made.map(({ id }) => id).toReversed());
  });

  test("status and templates choose what is shown", async () => {
    const open = await make();
    const done = await make();
    await world.send("POST", `/v1/tasks/${done.id}/complete`);
    const template = await make({ recurrence_pattern: "daily" });
    const gone = await make();
    await world.send("DELETE", `/v1/tasks/${gone.id}`);
    const ids = async (query: string) => (await world.send("GET", `/v1/tasks${query}`)).body.items.map(({ id }) => id);
    expect(await ids("")).toEqual([done.id, open.id]);
    expect(await ids("?status=all")).toEqual([done.id, open.id]);
    expect(await ids("?status=open")).toEqual([open.id]);
    expect(await ids("?status=completed")).toEqual([done.id]);
    expect(await ids("?templates=true")).toEqual([template.id, done.id, open.id]);
  });

  test("a cursor of another list, or nonsense, is refused", async () => {
    await make();
    await make();
    const { body } = await world.send("GET", "/v1/tasks?limit=1");
    for (const query of [
      `status=open&cursor=${body.next_cursor}`,
      "cursor=garbage",
      "limit=0",
      "limit=201",
      "status=maybe",
      "x=1",
    ])
      expect([query, (await world.send("GET", `/v1/tasks?${query}`)).status]).toEqual([query, 422]);
  });
});
