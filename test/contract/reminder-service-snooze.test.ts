import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import type { Fire } from "../../shared/timers/due-rows.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { command, completed, created, deleted, otherUserId, updated } from "../support/guard-messages.ts";
import { openReminderRequests, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";

let world: ReminderWorld;
let send: Send;
let fire: Fire;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ send } = openReminderRequests(world));
  fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => {} });
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const hour = 3_600_000;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

/** A task with a reminder of its rule, due `inMs` from now, asked for an hour ago; version 1. */
async function withRule(dueInMs: number) {
  const task = crypto.randomUUID();
  const [asked, due] = [Date.now() - hour, Date.now() + dueInMs];
  await world.handle(
    created(1, asked, { due, task }),
    command(1, { due: [due, 1, asked], status: ["open", 1, asked], task }),
  );
  return { task, id: ruleReminderId(task, "PT0S"), due: new Date(due).toISOString() };
}
async function fired() {
  const made = await withRule(-50);
  await fire([{ id: made.id, generation: 1, dueAt: new Date(made.due) }]);
  return made;
}
const own = async (remind_at = inMs(hour)) => {
  const task = crypto.randomUUID();
  await world.handle(created(1, Date.now(), { due: null, task }));
  const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
  return { task, id: body.id, remind_at };
};
const read = async (task: string, id: string) => {
  const { items } = (await send("GET", `/v1/tasks/${task}/reminders`)).body;
  return items.find((item) => item.id === id);
};
const snooze = (id: string, body: unknown, key?: string) =>
  send("POST", `/v1/reminders/${id}/snooze`, { body, ...(key === undefined ? {} : { key }) });
const move = (id: string, remind_at: string, key?: string) =>
  send("PATCH", `/v1/reminders/${id}`, { body: { remind_at }, ...(key === undefined ? {} : { key }) });
const told = async (id: string) =>
  (await world.outbox()).filter(({ subject }) => subject === id).map(({ type, sequence }) => `${type} ${sequence}`);

describe("snoozing a reminder", () => {
  test("that has fired reminds again later, in a new generation that tells what it was", async () => {
    const { id, task, due } = await fired();
    const until = inMs(hour);
    const answer = await snooze(id, { until });
    expect(answer).toMatchObject({
      status: 200,
      body: { id, rule: "PT0S", remind_at: until, snoozed_from: due, status: "pending", generation: 2, version: 3 },
    });
    expect(await read(task, id)).toEqual(answer.body);
    expect(await told(id)).toEqual(["ReminderScheduled 1", "ReminderTriggered 2", "ReminderScheduled 3"]);
    const [last] = (await world.outbox()).filter(({ sequence, subject }) => subject === id && sequence === 3);
    expect(last?.data).toMatchObject({ remind_at: until, snoozed_from: due, rule: "PT0S", generation: 2 });
  });

  test("that waits ends that generation, and its wake-up fires nothing", async () => {
    const { id, due } = await withRule(-50);
    await snooze(id, { for: "PT1H" });
    expect(await fire([{ id, generation: 1, dueAt: new Date(due) }])).toEqual([]);
    expect(await fire([{ id, generation: 2, dueAt: new Date(due) }])).toEqual([{ id, outcome: "later" }]);
    expect(await told(id)).toEqual(["ReminderScheduled 1", "ReminderDismissed 2", "ReminderScheduled 3"]);
  });

  test("until the time it has already changes nothing", async () => {
    const { id } = await withRule(hour);
    const until = inMs(2 * hour);
    const first = await snooze(id, { until });
    expect(await snooze(id, { until })).toEqual(first);
    expect((await told(id)).length).toBe(3);
  });

  test.each([{ until: inMs(hour / 2) }, { for: "PT10M" }, { preset: "10m" }])(
    "that has not fired, with %j to before its time, is refused with what it is, and stays",
    async (wish) => {
      const { id, task, due } = await withRule(hour);
      const before = await read(task, id);
      const { status, body } = await snooze(id, wish);
      expect([status, body["code"], body["current"]]).toEqual([409, "SNOOZE_TOO_EARLY", before]);
      expect(body["detail"]).toContain(due);
      expect(await read(task, id)).toEqual(before as never);
    },
  );

  test("that is snoozed can be snoozed for less, but for no less than its own time while that is ahead", async () => {
    const [ahead, past] = [await withRule(hour), await fired()];
    for (const { id } of [ahead, past]) await snooze(id, { for: "PT5H" });
    const shorter = async (id: string, wish: string) => (await snooze(id, { for: wish })).status;
    expect([await shorter(ahead.id, "PT2H"), await shorter(ahead.id, "PT30M")]).toEqual([200, 409]);
    expect([await shorter(past.id, "PT2H"), await shorter(past.id, "PT30M")]).toEqual([200, 200]);
  });

  test("by a preset is meant on the user's clocks", async () => {
    const { id } = await withRule(hour);
    const settings = { ...defaultPreferences, tz: "Pacific/Auckland", all_day_at: "06:15" };
    await world.db.sql`
      insert into preferences (user_id, settings) values (${(await world.reminders())[0]?.userId ?? ""}, ${JSON.stringify(settings)})
      on conflict (user_id) do update set settings = excluded.settings`;
    const { body } = await snooze(id, { preset: "tomorrow" });
    const local = Temporal.Instant.from(String(body["remind_at"])).toZonedDateTimeISO("Pacific/Auckland");
    expect(local.toPlainTime().toString({ smallestUnit: "minute" })).toBe("06:15");
  });

  test("again with the same Idempotency-Key is done once and answered the same, also ten times at once", async () => {
    const { id } = await fired();
    const key = crypto.randomUUID();
    const answers = await Promise.all(Array.from({ length: 10 }, () => snooze(id, { for: "PT10M" }, key)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${JSON.stringify(body)}`)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed === undefined)).toHaveLength(1);
    expect(await told(id)).toHaveLength(3);
    expect((await snooze(id, { for: "PT20M" }, key)).body["code"]).toBe("IDEMPOTENCY_KEY_REUSED");
  });

  test("the task's other fields edited, messages replayed, the guard told again: it stays; the due date moved: it is over", async () => {
    const { id, task, due } = await fired();
    const until = inMs(hour);
    await snooze(id, { until });
    const at = Date.now() - hour;
    const again = command(2, { due: [Date.parse(due), 1, at], status: ["open", 1, at], task, title: "again" });
    await world.handle(updated(2, Date.now(), { title: "new", task }), again);
    await world.handle(created(1, at, { due: Date.parse(due), task }), again);
    expect(await read(task, id)).toMatchObject({
      status: "pending",
      remind_at: until,
      snoozed_from: due,
      generation: 2,
    });
    const later = Date.now() + 2 * hour;
    await world.handle(updated(3, Date.now(), { due: later, task }));
    expect(await read(task, id)).toMatchObject({
      status: "pending",
      remind_at: new Date(later).toISOString(),
      snoozed_from: null,
      generation: 3,
    });
  });

  test("is not armed yet in any Redis: what Redis lost is filled in from the row", async () => {
    const { id } = await fired();
    await world.db.sql`update reminders set armed_in = 7 where id = ${id}`;
    await snooze(id, { for: "PT10M" });
    expect(await world.db.sql`select armed_in::int as armed from reminders where id = ${id}`).toMatchObject([
      { armed: 0 },
    ]);
  });

  test("that is dismissed, of a task that is done or gone, of another user or unknown, is refused", async () => {
    const [gone, done, dismissed, foreign] = [await fired(), await fired(), await fired(), await fired()];
    await world.handle(deleted(2, Date.now(), { task: gone.task }), completed(2, Date.now(), { task: done.task }));
    await send("POST", `/v1/reminders/${dismissed.id}/dismiss`);
    const codes = await Promise.all(
      [gone, done, dismissed].map(async ({ id }) => {
        const { status, body } = await snooze(id, { for: "PT10M" });
        return [status, body["code"]];
      }),
    );
    expect(codes).toEqual([
      [404, "TASK_NOT_FOUND"],
      [409, "TASK_COMPLETED"],
      [409, "REMINDER_DISMISSED"],
    ]);
    const other = await send("POST", `/v1/reminders/${foreign.id}/snooze`, {
      body: { for: "PT10M" },
      user: otherUserId,
    });
    expect([other.status, other.body["code"]]).toEqual([404, "REMINDER_NOT_FOUND"]);
    expect((await snooze(crypto.randomUUID(), { for: "PT10M" })).status).toBe(404);
  });

  test.each([
    [{ until: "2020-01-01T00:00:00Z" }, ["/until"]],
    [{ until: "2199-01-01T00:00:00Z" }, ["/until"]],
    [{ for: "PT0S" }, ["/for"]],
    [{ preset: "later" }, ["/preset"]],
    [{ minutes: 10 }, ["/minutes", "/"]],
    [{}, ["/"]],
  ])("with %j answers 422 naming %j", async (body, paths) => {
    const { id } = await fired();
    const answer = await snooze(id, body);
    expect([answer.status, answer.body.errors.map(({ path }) => path)]).toEqual([422, paths]);
  });
});

describe("moving a reminder of one's own", () => {
  test("begins a new generation under the same id, and ends a snooze", async () => {
    const { id, task } = await own();
    await snooze(id, { for: "PT3H" });
    const remind_at = inMs(2 * hour);
    const answer = await move(id, remind_at);
    expect(answer).toMatchObject({ status: 200, body: { id, remind_at, snoozed_from: null, generation: 3 } });
    expect(await move(id, remind_at)).toEqual(answer);
    expect(await read(task, id)).toEqual(answer.body);
  });

  test("may say how late it may fire, alone or with a time; that is a new version, told in the same generation", async () => {
    const { id, remind_at } = await own();
    const change = (body: unknown) => send("PATCH", `/v1/reminders/${id}`, { body });
    const late = await change({ drop_after: "PT2H" });
    expect(late).toMatchObject({ status: 200, body: { remind_at, drop_after: "PT2H", generation: 1, version: 2 } });
    expect(await change({ remind_at, drop_after: "PT2H" })).toEqual(late);
    const later = inMs(2 * hour);
    const moved = await change({ remind_at: later, drop_after: null });
    expect(moved.body).toMatchObject({ remind_at: later, drop_after: null, generation: 2 });
    expect(await told(id)).toEqual([
      "ReminderScheduled 1",
      "ReminderScheduled 2",
      "ReminderDismissed 3",
      "ReminderScheduled 4",
    ]);
    expect([(await change({})).body.errors, (await change({ drop_after: "soon" })).status]).toEqual([
      [{ path: "/", message: "changes nothing" }],
      422,
    ]);
  });

  test("that has fired takes another lateness with another time only", async () => {
    const { id } = await own();
    await world.db.sql`update reminders set remind_at = clock_timestamp() - interval '1 s' where id = ${id}`;
    await fire([{ id, generation: 1, dueAt: new Date() }]);
    const change = async (body: unknown) => {
      const answer = await send("PATCH", `/v1/reminders/${id}`, { body });
      return [answer.status, answer.body["code"] ?? answer.body["drop_after"]];
    };
    expect(await change({ drop_after: "PT2H" })).toEqual([409, "REMINDER_FIRED"]);
    expect(await change({ drop_after: "PT2H", remind_at: inMs(hour) })).toEqual([200, "PT2H"]);
  });

  test("leaves its old time free: one set for it is another, and for the new time it is the same", async () => {
    const { id, task, remind_at } = await own();
    const later = inMs(2 * hour);
    await move(id, later);
    const again = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at } });
    expect(again).toMatchObject({ status: 201, body: { remind_at, status: "pending", generation: 1 } });
    expect(again.body.id).not.toBe(id);
    const same = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: later } });
    expect(same.body.id).toBe(id);
    const taken = await move(again.body.id, later);
    expect([taken.status, taken.body["code"]]).toEqual([409, "REMINDER_EXISTS"]);
  });

  test("that a rule made is refused: it follows its task", async () => {
    const { id } = await withRule(hour);
    const { status, body } = await move(id, inMs(2 * hour));
    expect([status, body["code"]]).toEqual([409, "REMINDER_FOLLOWS_TASK"]);
    expect(body["detail"]).toContain("PT0S");
  });

  test("to the past answers 422, and one that is dismissed 409", async () => {
    const { id } = await own();
    expect((await move(id, inMs(-1000))).body.errors.map(({ path }) => path)).toEqual(["/remind_at"]);
    await send("POST", `/v1/reminders/${id}/dismiss`);
    expect((await move(id, inMs(hour))).body["code"]).toBe("REMINDER_DISMISSED");
  });

  test("with an Idempotency-Key is done once", async () => {
    const { id } = await own();
    const [key, remind_at] = [crypto.randomUUID(), inMs(2 * hour)];
    const first = await move(id, remind_at, key);
    await move(id, inMs(3 * hour));
    expect(await move(id, remind_at, key)).toEqual({ ...first, replayed: "true" });
  });
});

test("a distance before the due time is a field of the task, and refused here by name", async () => {
  const { task } = await own();
  const { status, body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { before: "PT15M" } });
  expect(status).toBe(422);
  expect(body.errors.map(({ path }) => path)).toContain("/before");
});
