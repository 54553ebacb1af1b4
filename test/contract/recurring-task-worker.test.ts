import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, ReceivedMessage } from "../../shared/messages/message.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import type { TaskCreated } from "../../shared/messages/records.ts";
import { dueRows, type Wakeup } from "../../shared/timers/due-rows.ts";
import { buildApp } from "../../workers/recurring-task-worker/app.ts";
import { makeFireSeries } from "../../workers/recurring-task-worker/fire-series.ts";
import { followTasks } from "../../workers/recurring-task-worker/follow-tasks.ts";
import { openTestDb } from "../support/database.ts";
import { taskCreated } from "../support/task-created.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const ada = "0193a0b0-0000-7000-8000-0000000000aa";
const ben = "0193a0b0-0000-7000-8000-0000000000bb";
const log = makeLog({}, "error");
const minutes = (count: number) => new Date(Date.now() + count * 60_000);

describe.skipIf(!url)("the recurring task worker on Postgres (needs DATABASE_URL)", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  }, 60_000);
  afterAll(() => db?.[Symbol.asyncDispose](), 30_000);

  const hear = (messages: readonly ReceivedMessage[]) =>
    db.transaction(async (tx) =>
      (await followTasks(messages, { tx, signal: new AbortController().signal, log, now: new Date() })).flat(),
    );
  const encode = (type: string, data: object) => new TextEncoder().encode(`${type} ${JSON.stringify(data)}`);
  const fire = (batch: readonly Wakeup[]) => makeFireSeries({ db, codec: { encode }, onWritten: () => {} })(batch);
  const occurrencesOf = async (seriesId: string) => [
    ...(await db.sql<{ id: string; recurrence_id: string; state: string; number: number }[]>`
      select id, recurrence_id, state, number from occurrences where series_id = ${seriesId} order by number`),
  ];
  const dueTimers = async (seriesId: string) =>
    (
      await dueRows(db, { table: "series", due: "wake_at", fire }).overdue({ graceMs: 0, after: null, limit: 500 })
    ).filter(({ id }) => id === seriesId);
  const commandsOf = async (seriesId: string) => [
    ...(await db.sql<{ subject: string; message_id: string }[]>`
      select subject, message_id from outbox where topic = 'task-commands' and key = ${seriesId}`),
  ];

  const pattern = { rrule: "FREQ=DAILY", tz: "UTC", start: "2099-11-24T09:00:00" };
  const idOf = (template: string, day: string) => deriveId("occurrence", template, `${day}T09:00:00`);

  test("the first occurrence is asked for with the template, the next with its completion", async () => {
    const template = Bun.randomUUIDv7();
    const first = idOf(template, "2099-11-24");
    const asked = await hear([created(template, pattern)]);
    expect(asked).toEqual([
      {
        type: "CreateOccurrence",
        key: template,
        subject: first,
        sequence: 1,
        data: {
          occurrence_id: first,
          template_id: template,
          user_id: ada,
          recurrence_id: "2099-11-24T09:00:00",
          due_date: new Date("2099-11-24T09:00:00Z"),
          due_on: null,
          due_tz: "UTC",
          requested_at: expect.any(Date),
          completed_at: null,
        },
      },
    ]);
    const next = await hear([created(first, null), completed(first, 2)]);
    expect(next.map(({ subject }) => subject)).toEqual([idOf(template, "2099-11-25")]);
    expect(await occurrencesOf(template)).toMatchObject([
      { number: 1, recurrence_id: "2099-11-24T09:00:00", state: "completed" },
      { number: 2, recurrence_id: "2099-11-25T09:00:00", state: "open" },
    ]);
  });

  test("redelivered ten times and shuffled, the events make the same occurrences, each asked for once", async () => {
    for (let round = 0; round < 10; round++) {
      const template = Bun.randomUUIDv7();
      const [first, second] = [idOf(template, "2099-11-24"), idOf(template, "2099-11-25")];
      const events = [
        created(template, pattern),
        created(first, null),
        completed(first, 2),
        created(second, null),
        completed(second, 2),
      ];
      const shuffled = Array.from({ length: 10 }, () => events)
        .flat()
        .map((event) => ({ event, place: Math.random() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ event }) => event);
      const asked: Message[] = [];
      for (let from = 0; from < shuffled.length; from += 7) asked.push(...(await hear(shuffled.slice(from, from + 7))));
      expect(asked.map(({ subject }) => subject)).toEqual([first, second, idOf(template, "2099-11-26")]);
      expect((await occurrencesOf(template)).map(({ state }) => state)).toEqual(["completed", "completed", "open"]);
    }
  }, 30_000);

  test("instances that hear different tasks of a series at once ask for each occurrence once", async () => {
    const template = Bun.randomUUIDv7();
    await hear([created(template, { ...pattern, max_open: 20, catch_up: "all", start: "2020-01-01T09:00:00" })]);
    const open = await occurrencesOf(template);
    expect(open).toHaveLength(20);
    const asked = (await Promise.all(open.map(({ id }) => hear([completed(id, 2)])))).flat();
    expect(asked).toHaveLength(20);
    const all = await occurrencesOf(template);
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    expect(all.filter(({ state }) => state === "open")).toHaveLength(20);
  }, 30_000);

  test("a batch rolled back leaves nothing, and heard again makes everything", async () => {
    const template = Bun.randomUUIDv7();
    const heard = db.transaction(async (tx) => {
      await followTasks([created(template, pattern)], {
        tx,
        signal: new AbortController().signal,
        log,
        now: new Date(),
      });
      throw new Error("crash");
    });
    await expect(heard).rejects.toThrow();
    expect(await occurrencesOf(template)).toEqual([]);
    expect(await hear([created(template, pattern)])).toHaveLength(1);
  });

  test("the occurrence's due passing is a timer that fires once, whoever asks how often", async () => {
    const template = Bun.randomUUIDv7();
    const start = minutes(-1).toISOString().slice(0, 19);
    // Heard as of two minutes ago: the due of the first has passed meanwhile.
    await hear([created(template, { ...pattern, start, max_open: 2 }, { created_at: minutes(-2) })]);
    const [timer, ...more] = await dueTimers(template);
    expect([timer?.generation, more]).toEqual([1, []]);
    if (!timer) throw new Error("no timer");
    const outcomes = (await Promise.all(Array.from({ length: 8 }, () => fire([timer])))).flat();
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["fired"]);
    const [, second, ...rest] = await occurrencesOf(template);
    expect(rest).toEqual([]);
    const commands = await commandsOf(template);
    expect(commands).toEqual([
      { subject: String(second?.id), message_id: deriveId("CreateOccurrence", String(second?.id)) },
    ]);
    expect(await dueTimers(template)).toEqual([]);
  });

  test("a timer of an older generation, or asked too early, does nothing", async () => {
    const template = Bun.randomUUIDv7();
    await hear([created(template, { ...pattern, max_open: 2 })]);
    const ahead = new Date("2099-11-24T09:00:00Z");
    expect(await fire([{ id: template, generation: 1, dueAt: ahead }])).toEqual([]);
    await hear([completed(idOf(template, "2099-11-24"), 2)]);
    const [row] = await db.sql`select generation::int as generation, wake_at from series where id = ${template}`;
    expect(row).toEqual({ generation: 2, wake_at: new Date("2099-11-25T09:00:00Z") });
    expect(await occurrencesOf(template)).toHaveLength(2);
  });

  test("deleting the template stops the timer and leaves the open occurrence", async () => {
    const template = Bun.randomUUIDv7();
    const [, deletion] = [
      await hear([created(template, pattern)]),
      await hear([message("TaskDeleted", template, 2, { id: template, user_id: ada, deleted_at: new Date() })]),
    ];
    expect(deletion).toEqual([]);
    const [row] = await db.sql`select status, wake_at from series where id = ${template}`;
    expect(row).toEqual({ status: "stopped", wake_at: null });
    expect(await hear([completed(idOf(template, "2099-11-24"), 2)])).toEqual([]);
    expect(await occurrencesOf(template)).toMatchObject([{ state: "completed" }]);
  });

  test("with the tables rebuilt from the topic, what was completed is not asked for as if it were open", async () => {
    const template = Bun.randomUUIDv7();
    const [first, second] = [idOf(template, "2099-11-24"), idOf(template, "2099-11-25")];
    await hear([created(first, null), completed(first, 2), created(second, null), completed(second, 2)]);
    const asked = await hear([created(template, pattern)]);
    expect(asked.map(({ subject }) => subject)).toEqual([first, second, idOf(template, "2099-11-26")]);
    expect((await occurrencesOf(template)).map(({ state }) => state)).toEqual(["completed", "completed", "open"]);
  });

  test("a user sees their own series and nobody else's", async () => {
    const user = Bun.randomUUIDv7();
    const templates = Array.from({ length: 3 }, () => Bun.randomUUIDv7());
    for (const template of templates) await hear([created(template, pattern, {}, user)]);
    const app = (userId: string) =>
      buildApp({
        db,
        authenticate: () => Promise.resolve({ userId, sessionId: "s", expiresAt: minutes(10), via: "bearer" as const }),
        changeOccurrence: () => Promise.reject(new Error("was asked")),
        newId: () => Bun.randomUUIDv7(),
        now: () => new Date(),
        log,
        metrics: makeMetrics("test", { process: false }),
      });
    const mine = app(user);
    const page = await (await mine.request("/v1/series?limit=2")).json();
    const rest = await (await mine.request(`/v1/series?limit=2&cursor=${page.next_cursor}`)).json();
    const items = [...page.items, ...rest.items];
    expect(items.map((item) => item.template_id)).toEqual(templates.toReversed());
    expect(rest.next_cursor).toBeNull();
    expect(items[0]).toMatchObject({
      status: "waiting",
      next_due: "2099-11-24T09:00:00.000Z",
      open_occurrences: 1,
      made_occurrences: 1,
      recurrence_pattern: pattern,
    });
    const one = `/v1/series/${templates[0]}`;
    expect((await mine.request(one)).status).toBe(200);
    expect((await app(ben).request(one)).status).toBe(404);
    expect((await mine.request("/v1/series/nonsense")).status).toBe(422);
    expect(await (await app(ben).request("/v1/series")).json()).toEqual({ items: [], next_cursor: null });
  });
});

function message(
  type: "TaskCreated" | "TaskCompleted" | "TaskDeleted",
  subject: string,
  sequence: number,
  data: object,
) {
  const of = { type, subject, key: subject, sequence, data, id: Bun.randomUUIDv7(), time: new Date() };
  const where = { topic: "task-events", partition: 0, offset: 0n, timestamp: 0, value: new Uint8Array(), headers: [] };
  const envelope = { source: "task-service", correlationId: "test", causationId: null, traceparent: null };
  // Built by hand from parts that fit together.
  return { ...of, ...where, ...envelope } as unknown as ReceivedMessage;
}

function created(
  id: string,
  recurrence: object | null,
  over: Partial<TaskCreated> = {},
  user_id = ada,
): ReceivedMessage {
  return message(
    "TaskCreated",
    id,
    1,
    taskCreated({
      id,
      user_id,
      title: "Water the plants",
      created_at: new Date(),
      is_recurring_template: recurrence !== null,
      recurrence_pattern: recurrence === null ? null : JSON.stringify(recurrence),
      ...over,
    }),
  );
}

function completed(id: string, version: number): ReceivedMessage {
  return message("TaskCompleted", id, version, { id, user_id: ada, completed_at: new Date() });
}
