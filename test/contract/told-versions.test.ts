import { afterAll, beforeAll, expect, test } from "bun:test";
import { deriveId } from "../../shared/messages/derive-id.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { changePreferences } from "../../workers/reminder-scheduling-worker/keep-preferences.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { command, created as createdTask, updated as updatedTask } from "../support/guard-messages.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { ada, created, openSeriesWorld, updated, type SeriesWorld } from "./series-world.ts";

let series: SeriesWorld;
let reminders: ReminderWorld;
beforeAll(async () => {
  [series, reminders] = await Promise.all([openSeriesWorld(), openReminderWorld()]);
}, 60_000);
afterAll(() => Promise.all([series, reminders].map((world) => world?.[Symbol.asyncDispose]())), 30_000);

/**
 * As after a restore, before anybody has noticed it; three times in the life of the data, so that versions are more
 * than an int holds.
 */
async function goBack({ sql }: Db): Promise<void> {
  await sql`
    insert into database_history (number, life, timeline, system, reason)
    select 2, life, '0000FFFF', system, 'test' from database_history on conflict do nothing`;
}
const floor = 3_000_000_000;
const hour = 3_600_000;

test("the version of a series is above all told before the database went back, whoever changes it, and when it is made", async () => {
  const daily = { rrule: "FREQ=DAILY", tz: "UTC", start: "2099-11-24T09:00:00" };
  const [before, after] = [Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  await series.hear([created(before, daily)]);
  const versionOf = async (id: string) => (await series.send("GET", `/v1/series/${id}`)).body.version;
  expect(await versionOf(before)).toBe(1);
  await goBack(series.db);
  // What nobody has changed since is what was told of.
  expect(await versionOf(before)).toBe(1);
  const skip = await series.send("POST", `/v1/series/${before}/occurrences/2099-11-25T09:00:00/skip`, {
    ifMatch: '"1"',
  });
  expect([skip.status, skip.etag]).toEqual([200, `"${floor + 1}"`]);
  expect(await versionOf(before)).toBe(floor + 1);
  const pattern = JSON.stringify({ ...daily, rrule: "FREQ=WEEKLY" });
  await series.hear([updated(before, 2, { recurrence_pattern: pattern }), created(after, daily)]);
  expect([await versionOf(before), await versionOf(after)]).toEqual([floor + 2, floor + 1]);
});

test("and that of preferences", async () => {
  const put = (all_day_at: string, ifMatch: Parameters<typeof changePreferences>[1]["ifMatch"]) =>
    changePreferences(series.db, {
      userId: ada,
      change: (now) => ({ ...now, all_day_at }),
      ifMatch,
      correlationId: "test",
      traceparent: null,
    });
  await series.db.sql`delete from database_history where number > 0`;
  expect(await put("07:00", "any")).toMatchObject({ version: 1 });
  await goBack(series.db);
  expect(await put("08:00", "any")).toMatchObject({ version: floor + 1 });
  expect(await put("09:00", "any")).toMatchObject({ version: floor + 2 });
});

test("and that of reminders, moved, fired or made; what is scheduled anew does not take the id of a firing that was told", async () => {
  const { db, handle } = reminders;
  const [task, later] = [crypto.randomUUID(), crypto.randomUUID()];
  const due = Date.now() + hour;
  await handle(createdTask(1, 1, { due, task }), command(1, { due: [due, 1, 1], task }));
  const id = ruleReminderId(task, "PT0S");
  const row = async (of: string) => {
    const found = (await reminders.reminders()).find((one) => one.id === of);
    return found && [found.version, found.generation];
  };
  expect(await row(id)).toEqual([1, 1]);
  await goBack(db);
  const told = await handle(
    updatedTask(2, 2, { due: due + hour, task }),
    command(2, { due: [due + hour, 2, 2], task }),
  );
  // Dismissed as moved, then scheduled.
  expect(told.map(({ sequence }) => sequence)).toEqual([floor + 1, floor + 2]);
  expect(await row(id)).toEqual([floor + 2, floor + 1]);
  await handle(createdTask(1, 1, { due, task: later }), command(1, { due: [due, 1, 1], task: later }));
  expect(await row(ruleReminderId(later, "PT0S"))).toEqual([floor + 1, floor + 1]);

  // Scheduled before, fired after: the same firing, under the id it may have been sent with.
  await db.sql`delete from database_history where number > 0`;
  const old = crypto.randomUUID();
  await handle(createdTask(1, 1, { due, task: old }), command(1, { due: [due, 1, 1], task: old }));
  await goBack(db);
  const oldId = ruleReminderId(old, "PT0S");
  await db.sql`update reminders set remind_at = clock_timestamp() - interval '1 s' where id = ${oldId}`;
  const fire = makeFireReminders({ db, codec: reminders.codec, notify: () => {} });
  await fire([{ id: oldId, generation: 1, dueAt: new Date() }]);
  expect(await row(oldId)).toEqual([floor + 1, 1]);
  const [fired] = await db.sql<{ id: string }[]>`select message_id as id from outbox where type = 'ReminderTriggered'`;
  expect(fired?.id).toBe(deriveId(oldId, "1", "triggered"));
});
