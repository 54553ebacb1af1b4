import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import type { Encoder } from "../../shared/outbox/outbox.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { defaultPreferences } from "../../shared/preferences/preferences.ts";
import { changePreferences } from "../../workers/reminder-scheduling-worker/keep-preferences.ts";
import { rezoneReminders } from "../../workers/reminder-scheduling-worker/rezone-reminders.ts";
import { makeWantReminders } from "../../workers/reminder-scheduling-worker/want-reminders.ts";
import { openTestDb } from "../support/database.ts";
import { completed, created, userId } from "../support/guard-messages.ts";
import { withZones } from "../support/other-zones.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const log = makeLog({}, "error");
const codec: Encoder = { encode: (_type, data) => new TextEncoder().encode(JSON.stringify(data)) };
const beginning = "00000000-0000-0000-0000-000000000000";
/** Vancouver with Halifax's clocks. */
const moved = { "America/Vancouver": "America/Halifax" };

let db: Db;
beforeAll(async () => {
  if (url) db = await openTestDb();
}, 60_000);
afterAll(() => db?.[Symbol.asyncDispose](), 30_000);
beforeEach(async () => {
  if (url) await db.sql`truncate preferences, wanted_reminders, outbox`;
});

const wantReminders = makeWantReminders({ countForeign: () => {} });
const hear = (...messages: readonly ReceivedMessage[]) =>
  db.transaction((tx) => wantReminders(messages, { tx, log, now: new Date(), signal: new AbortController().signal }));

async function rezoneAll(limit = 500): Promise<number> {
  const step = rezoneReminders({ db, codec, now: () => new Date(), notify: () => {}, limit });
  let steps = 0;
  for (let after: string | null = beginning; after !== null; steps++) after = await step(after);
  return steps;
}

async function asked() {
  const rows = await db.sql<{ key: string; value: Uint8Array }[]>`
    select key, value from outbox where type = 'SetTaskReminders' order by id`;
  return rows.map(({ key, value }) => {
    const { due_date, rules } = JSON.parse(new TextDecoder().decode(value));
    return { task: key, due: due_date, rules };
  });
}

const prefer = (default_reminders: string[]) =>
  changePreferences(db, {
    userId,
    change: () => ({ ...defaultPreferences, tz: "America/Vancouver", default_reminders }),
    ifMatch: "any",
    correlationId: "a-change",
    traceparent: null,
  });

test.skipIf(!url)("reminders of whole days and of times of a day are asked for at the new instants", async () => {
  await prefer(["PT0S", "P1D@18:00"]);
  const task = Bun.randomUUIDv7();
  await hear(created(1, 1, { due: null, day: "2040-12-01", task }));
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await asked()).toMatchObject([
    {
      task,
      due: "2040-12-01T13:00:00.000Z",
      rules: expect.arrayContaining([{ rule: "P1D@18:00", offset_ms: -15 * 3_600_000 }]),
    },
  ]);
});

test.skipIf(!url)("a due that stays has its rules on the calendar asked for anew, and nothing else is", async () => {
  await prefer(["P1D@18:00"]);
  const [timed, plain, done] = [Bun.randomUUIDv7(), Bun.randomUUIDv7(), Bun.randomUUIDv7()];
  const due = Date.parse("2040-12-01T16:00:00Z");
  await hear(created(1, 1, { due, task: timed }), created(1, 1, { due: null, task: plain }));
  await hear(created(1, 1, { due: null, day: "2040-12-01", task: done }), completed(2, 5, { task: done }));
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await asked()).toEqual([
    { task: timed, due: "2040-12-01T16:00:00.000Z", rules: [{ rule: "P1D@18:00", offset_ms: -18 * 3_600_000 }] },
  ]);
});

test.skipIf(!url)("in bounded steps, for people without preferences too, and again asks for nothing", async () => {
  const tasks = await Promise.all(
    [1, 2, 3].map(async () => {
      const task = Bun.randomUUIDv7();
      await hear(created(1, 1, { due: null, day: "2040-12-01", task }));
      return task;
    }),
  );
  await db.sql`
    update wanted_reminders set folded = jsonb_set(folded, '{fields,due_tz}', '{"value": "America/Vancouver", "version": 1, "time": 1}')`;
  expect(await rezoneAll(2)).toBe(2);
  expect((await asked()).map(({ task, due }) => [task, due])).toEqual(
    tasks.toSorted().map((task) => [task, "2040-12-01T16:00:00.000Z"]),
  );
  await withZones("2041a", moved, async () => void (await rezoneAll(2)));
  const count = (await asked()).length;
  expect(count).toBe(6);
  await withZones("2041a", moved, async () => void (await rezoneAll(2)));
  expect((await asked()).length).toBe(count);
});

test.skipIf(!url)("what was due more than a day ago stays", async () => {
  await prefer(["PT0S"]);
  await hear(created(1, 1, { due: null, day: "2020-12-01", task: Bun.randomUUIDv7() }));
  await withZones("2041a", moved, async () => void (await rezoneAll()));
  expect(await asked()).toEqual([]);
});
