import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { MessageOf, ReceivedMessage } from "../../shared/messages/message.ts";
import { makeWantReminders } from "../../workers/reminder-scheduling-worker/want-reminders.ts";
import { openTestDb } from "../support/database.ts";
import { taskCreated } from "../support/task-created.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const ada = "0193a0b0-0000-7000-8000-0000000000aa";
const ben = "0193a0b0-0000-7000-8000-0000000000bb";
const log = makeLog({}, "error");
const foreign: string[] = [];
const wantReminders = makeWantReminders({ countForeign: (type) => foreign.push(type) });
const at = (minute: number) => new Date(Date.UTC(2026, 10, 23, 9, minute));
const [due, moved] = [at(50), at(55)];

describe.skipIf(!url)("the reminder scheduling worker on Postgres (needs DATABASE_URL)", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  }, 60_000);
  afterAll(() => db?.[Symbol.asyncDispose](), 30_000);

  const hear = (...messages: readonly ReceivedMessage[]) =>
    db.transaction(async (tx) => {
      const context = { tx, signal: new AbortController().signal, log, now: at(0) };
      // The worker sends nothing else.
      return (await wantReminders(messages, context)).flat() as MessageOf<"SetTaskReminders">[];
    });
  const told = (commands: readonly MessageOf<"SetTaskReminders">[]) =>
    commands.map(({ sequence, data }) => [sequence, data.rules.length === 0 ? null : data.due_date]);

  test("a command for each change of what is wanted, counted per task", async () => {
    const task = Bun.randomUUIDv7();
    const commands = await hear(
      created(task),
      updated(task, 2, { title: "new" }),
      updated(task, 3, { due_date: moved.toISOString() }),
      completed(task, 4),
    );
    expect(told(commands)).toEqual([
      [1, due],
      [2, moved],
      [3, null],
    ]);
    expect(commands[1]).toMatchObject({
      key: task,
      subject: task,
      data: { due_version: 3, due_time: at(3), title: "new" },
    });
  });

  test("redelivered ten times and shuffled, the events end in the same wanted state, told last", async () => {
    for (let round = 0; round < 10; round++) {
      const task = Bun.randomUUIDv7();
      const events = [
        created(task),
        updated(task, 2, { due_date: moved.toISOString() }),
        completed(task, 3),
        updated(task, 4, { status: "open", completed_at: null }),
      ];
      const shuffled = Array.from({ length: 10 }, () => events)
        .flat()
        .map((event) => ({ event, place: Math.random() }))
        .toSorted((a, b) => a.place - b.place)
        .map(({ event }) => event);
      const commands = [];
      for (let from = 0; from < shuffled.length; from += 3)
        commands.push(...(await hear(...shuffled.slice(from, from + 3))));
      expect(told(commands).at(-1)).toEqual([commands.length, moved]);
      expect(commands.at(-1)?.data).toMatchObject({ due_version: 2, status: "open" });
      // Every second telling is the opposite of the one before: nothing is told twice in a row.
      told(commands).forEach((each, index, all) => expect(each[1]).not.toEqual(all[index - 1]?.[1]));
    }
  }, 30_000);

  test("two instances that begin the same task at once lose nothing", async () => {
    const task = Bun.randomUUIDv7();
    const both = await Promise.all([hear(created(task)), hear(updated(task, 2, { due_date: moved.toISOString() }))]);
    const [row] = await db.sql`select wanted, commands::int as commands from wanted_reminders where task_id = ${task}`;
    expect(row).toEqual({ wanted: `2 ${moved.toISOString()} PT0S=0`, commands: both.flat().length });
  });

  test("a transaction rolled back has asked for nothing", async () => {
    const task = Bun.randomUUIDv7();
    const lost = db.transaction(async (tx) => {
      await wantReminders([created(task)], { tx, signal: new AbortController().signal, log, now: at(0) });
      throw new Error("crash");
    });
    await expect(lost).rejects.toThrow();
    expect(told(await hear(created(task)))).toEqual([[1, due]]);
  });

  test("an event of another user changes nothing", async () => {
    const task = Bun.randomUUIDv7();
    await hear(created(task));
    expect(await hear(completed(task, 2, ben))).toEqual([]);
    expect(foreign.splice(0)).toEqual(["TaskCompleted"]);
    expect(told(await hear(completed(task, 2)))).toEqual([[2, null]]);
  });

  test("an event of another user, heard first, does not take the task from its owner", async () => {
    const task = Bun.randomUUIDv7();
    await db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at)
      values (${task}, ${ada}, 'Water the plants', ${at(1)}, ${at(1)})`;
    expect(await hear(updated(task, 9, { due_date: moved.toISOString() }, ben))).toEqual([]);
    expect(foreign.splice(0)).toEqual(["TaskUpdated"]);
    expect(told(await hear(created(task)))).toEqual([[1, due]]);
  });
});

function message(
  type: "TaskCreated" | "TaskUpdated" | "TaskCompleted",
  subject: string,
  sequence: number,
  data: object,
) {
  const of = { type, subject, key: subject, sequence, data, id: Bun.randomUUIDv7(), time: at(sequence) };
  const where = { topic: "task-events", partition: 0, offset: 0n, timestamp: 0, value: new Uint8Array(), headers: [] };
  const envelope = { source: "task-service", correlationId: "test", causationId: null, traceparent: null };
  // Built by hand from parts that fit together.
  return { ...of, ...where, ...envelope } as unknown as ReceivedMessage;
}

function created(id: string): ReceivedMessage {
  return message(
    "TaskCreated",
    id,
    1,
    taskCreated({
      id,
      user_id: ada,
      title: "Water the plants",
      created_at: at(1),
      due_date: due,
    }),
  );
}

function updated(
  id: string,
  version: number,
  updated_fields: Record<string, string | null>,
  user_id = ada,
): ReceivedMessage {
  return message("TaskUpdated", id, version, { id, user_id, updated_fields, timestamp: at(version) });
}

function completed(id: string, version: number, user_id = ada): ReceivedMessage {
  return message("TaskCompleted", id, version, { id, user_id, completed_at: at(version) });
}
