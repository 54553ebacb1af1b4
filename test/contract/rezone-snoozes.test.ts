import { afterAll, beforeAll, expect, test } from "bun:test";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { rezoneSnoozes } from "../../workers/reminder-service/rezone-snoozes.ts";
import { command, created, userId } from "../support/guard-messages.ts";
import { withZones } from "../support/other-zones.ts";
import { openReminderRequests, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";

const beginning = "00000000-0000-0000-0000-000000000000";
const hourMs = 3_600_000;
/** Vancouver with Halifax's clocks, which are some hours ahead all year. */
const moved = { "America/Vancouver": "America/Halifax" };

let world: ReminderWorld;
let send: Send;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ send } = openReminderRequests(world));
  const settings = { ...defaultPreferences, tz: "America/Vancouver", all_day_at: "09:00" };
  await world.db.sql`insert into preferences (user_id, settings) values (${userId}, ${JSON.stringify(settings)})`;
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

async function rezoneAll(limit = 500): Promise<void> {
  const step = rezoneSnoozes({ db: world.db, codec: world.codec, now: () => new Date(), notify: () => {}, limit });
  for (let after: string | null = beginning; after !== null;) after = await step(after);
}

/** A reminder that has fired, snoozed by this wish. */
async function snoozed(wish: object): Promise<Readonly<{ id: string; task: string }>> {
  const task = crypto.randomUUID();
  const [asked, due] = [Date.now() - hourMs, Date.now() - 50];
  await world.handle(
    created(1, asked, { due, task }),
    command(1, { due: [due, 1, asked], status: ["open", 1, asked], task }),
  );
  const id = ruleReminderId(task, "PT0S");
  const fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => {} });
  await fire([{ id, generation: 1, dueAt: new Date(due) }]);
  expect((await send("POST", `/v1/reminders/${id}/snooze`, { body: wish })).status).toBe(200);
  return { id, task };
}
const read = async ({ id, task }: Readonly<{ id: string; task: string }>) =>
  (await send("GET", `/v1/tasks/${task}/reminders`)).body.items.find((item) => item.id === id);

test("a snooze to a time of day moves with the clocks of the zone, in a new generation", async () => {
  const [byDay, byInstant] = [
    await snoozed({ preset: "next-week" }),
    await snoozed({ until: new Date(Date.now() + 48 * hourMs).toISOString() }),
  ];
  const [before, other] = [await read(byDay), await read(byInstant)];
  await rezoneAll();
  expect(await read(byDay)).toEqual(before);
  await withZones("2041a", moved, () => rezoneAll(1));
  const after = await read(byDay);
  const earlierMs = Date.parse(String(before?.["remind_at"])) - Date.parse(String(after?.["remind_at"]));
  expect([3, 4].map((hours) => hours * hourMs)).toContain(earlierMs);
  expect(after).toMatchObject({ status: "pending", generation: 3, snoozed_from: before?.["snoozed_from"] });
  expect(await read(byInstant)).toEqual(other);
  const told = (await world.outbox()).filter(({ subject }) => subject === byDay.id).map(({ type }) => type);
  expect(told.slice(-2)).toEqual(["ReminderDismissed", "ReminderScheduled"]);
  await withZones("2041a", moved, () => rezoneAll(1));
  expect(await read(byDay)).toEqual(after);
});

test("one that was moved since stays where it was moved to", async () => {
  const made = await snoozed({ preset: "tomorrow" });
  const until = new Date(Date.now() + 96 * hourMs).toISOString();
  await send("POST", `/v1/reminders/${made.id}/snooze`, { body: { until } });
  await withZones("2041a", moved, () => rezoneAll());
  expect(await read(made)).toMatchObject({ remind_at: until });
});

test("moved with its zone, it goes on in the chain of the request that snoozed it, and fires in it", async () => {
  const { id } = await snoozed({ preset: "next-week" });
  await withZones("2041a", moved, () => rezoneAll());
  await world.db.sql`update reminders set remind_at = clock_timestamp() where id = ${id}`;
  const fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => {} });
  await fire([{ id, generation: 3, dueAt: new Date() }]);
  const rows = await world.db.sql<{ messageId: string; type: string; headers: [string, string][] }[]>`
    select message_id as "messageId", type, headers from outbox where subject = ${id} order by id`;
  const chain = rows.map(({ messageId, type, headers }) => {
    const of = Object.fromEntries(headers);
    return { type, id: messageId, root: of["ce_correlationid"], cause: of["ce_causationid"], trace: of["traceparent"] };
  });
  const [ended, again, fired] = chain.slice(-3);
  const snooze = chain.findLast(({ type }, place) => type === "ReminderScheduled" && place < chain.length - 3);
  expect([ended?.type, again?.type, fired?.type]).toEqual([
    "ReminderDismissed",
    "ReminderScheduled",
    "ReminderTriggered",
  ]);
  expect([ended?.cause, again?.cause, fired?.cause]).toEqual([snooze?.id, snooze?.id, again?.id]);
  expect(new Set([snooze, ended, again, fired].map((each) => `${each?.root} ${each?.trace}`)).size).toBe(1);
  expect(snooze?.trace).toMatch(/^00-/);
});

test.each([
  ["moved", { remind_at: "clock_timestamp() + interval '5 days'" }],
  ["fired", { status: "'triggered'" }],
])("one that is %s between the look and the change stays", async (_, set) => {
  const made = await snoozed({ preset: "next-week" });
  const [column = "", value = ""] = Object.entries(set)[0] ?? [];
  const transaction: ReminderWorld["db"]["transaction"] = async (work, options) => {
    await world.db.sql.unsafe(`update reminders set ${column} = ${value} where id = '${made.id}'`);
    return world.db.transaction(work, options);
  };
  const db = { sql: world.db.sql, transaction };
  const step = rezoneSnoozes({ db, codec: world.codec, now: () => new Date(), notify: () => {} });
  await withZones("2041a", moved, async () => {
    for (let after: string | null = beginning; after !== null;) after = await step(after);
  });
  const [row] = await world.db.sql`select generation::int as generation from reminders where id = ${made.id}`;
  expect(row).toEqual({ generation: 2 });
});
