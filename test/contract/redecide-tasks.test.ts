import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import type { Encoder } from "../../shared/outbox/outbox.ts";
import { defaultPreferences, type Preferences } from "../../shared/preferences/preferences.ts";
import type { ReminderRule } from "../../shared/messages/records.ts";
import type { Db } from "../../shared/postgres/db.ts";
import { findPreferences, changePreferences } from "../../workers/reminder-scheduling-worker/keep-preferences.ts";
import { redecideTasks } from "../../workers/reminder-scheduling-worker/redecide-tasks.ts";
import { makeWantReminders } from "../../workers/reminder-scheduling-worker/want-reminders.ts";
import { openTestDb } from "../support/database.ts";
import { completed, created, otherUserId, updated, userId } from "../support/guard-messages.ts";
import { until } from "../support/until.ts";

const url = process.env["DATABASE_URL"];
if (!url && process.env["REQUIRE_ALL"] === "1") throw new Error("needs DATABASE_URL");

const log = makeLog({}, "error");
const codec: Encoder = { encode: (_type, data) => new TextEncoder().encode(JSON.stringify(data)) };
const any = "any" as const;

const trace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

describe.skipIf(!url)("preferences and the tasks they decide on Postgres (needs DATABASE_URL)", () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  }, 60_000);
  afterAll(() => db?.[Symbol.asyncDispose](), 30_000);
  beforeEach(async () => {
    await db.sql`truncate preferences, wanted_reminders, outbox`;
  });

  const wantReminders = makeWantReminders({ countForeign: () => {} });
  const put = (over: Partial<Preferences>, user = userId) =>
    changePreferences(db, {
      userId: user,
      change: () => ({ ...defaultPreferences, ...over }),
      ifMatch: any,
      correlationId: "a-change",
      traceparent: trace,
    });
  const context = (tx: Parameters<ReturnType<typeof makeWantReminders>>[1]["tx"]) => ({
    tx,
    log,
    now: new Date(),
    signal: new AbortController().signal,
  });
  const hear = (...messages: readonly ReceivedMessage[]) =>
    db.transaction(async (tx) => (await wantReminders(messages, context(tx))).flat());
  const redecide = (limit = 500) => redecideTasks({ db, codec, now: () => new Date(), notify: () => {}, limit });
  const redecideAll = async (limit = 500) => {
    let rounds = 0;
    while (await redecide(limit)) rounds += 1;
    return rounds;
  };
  /** The commands the loop has written, by task. */
  const asked = async () => {
    const rows = await db.sql<{ key: string; sequence: number; value: Uint8Array; headers: [string, string][] }[]>`
      select key, sequence::int as sequence, value, headers from outbox where type = 'SetTaskReminders' order by id`;
    return rows.map(({ key, sequence, value, headers }) => {
      expect(headers).toContainEqual(["ce_correlationid", "a-change"]);
      expect(headers).toContainEqual(["traceparent", trace]);
      const data = JSON.parse(new TextDecoder().decode(value)) as {
        due_date: string;
        requested_at: string;
        rules: readonly ReminderRule[];
      };
      return { task: key, sequence, due: data.due_date, requestedAt: data.requested_at, rules: data.rules };
    });
  };
  const wanted = async () => {
    const rows = await db.sql<{ id: string; wanted: string | null }[]>`
      select task_id as id, wanted from wanted_reminders order by task_id`;
    return new Map(rows.map((row) => [row.id, row.wanted]));
  };
  const newDay = (day = "2027-03-01", user = userId) => {
    const task = Bun.randomUUIDv7();
    return { task, event: created(1, 1, { due: null, day, task, user }) };
  };

  describe("changing them", () => {
    test("decides the user's open tasks again, and nobody else's", async () => {
      const [mine, done, other] = [newDay(), newDay(), newDay("2027-03-01", otherUserId)];
      const timed = created(1, 1, { due: Date.UTC(2027, 2, 1, 9), task: Bun.randomUUIDv7() });
      await hear(mine.event, done.event, other.event, timed, completed(2, 5, { task: done.task }));
      await put({ tz: "Pacific/Auckland" });
      await redecideAll();
      expect(await asked()).toEqual([
        {
          task: mine.task,
          sequence: 2,
          due: "2027-02-28T20:00:00.000Z",
          rules: [{ rule: "PT0S", offset_ms: 0 }],
          requestedAt: expect.any(String) as unknown as string,
        },
      ]);
      expect(await redecide()).toBe(false);
    });

    test("the hour of whole days and the usual reminders count at once, quiet hours decide nothing again", async () => {
      const { event } = newDay();
      await hear(event);
      await put({ all_day_at: "07:30" });
      await redecideAll();
      await put({ all_day_at: "07:30", default_reminders: ["PT15M", "P1D@18:00"] });
      await redecideAll();
      await put({ all_day_at: "07:30", default_reminders: ["P1D@18:00", "PT15M"], urgent_passes: false });
      expect(await redecide()).toBe(false);
      const said = await asked();
      expect(said.map(({ sequence, due, rules }) => [sequence, due, rules.map(({ rule }) => rule)])).toEqual([
        [2, "2027-03-01T07:30:00.000Z", ["PT0S"]],
        [3, "2027-03-01T07:30:00.000Z", ["P1D@18:00", "PT15M"]],
      ]);
    });

    test("what it asks for is asked for when they were changed, so nothing past is made up for", async () => {
      const { event } = newDay();
      await hear(event);
      await put({ tz: "Asia/Tokyo" });
      await redecideAll();
      const [row] = await db.sql<{ at: Date }[]>`select updated_at as at from preferences`;
      expect((await asked())[0]?.requestedAt).toBe(row?.at.toISOString());
    });

    test("goes in batches and, cut off in the middle, goes on where it was; at once in two instances asks for nothing twice", async () => {
      const days = Array.from({ length: 23 }, () => newDay());
      await hear(...days.map(({ event }) => event));
      await put({ tz: "Asia/Tokyo" });
      expect(await redecide(5)).toBe(true);
      expect(await asked()).toHaveLength(5);
      const failing: Encoder = {
        encode: () => {
          throw new Error("crash");
        },
      };
      const cut = redecideTasks({ db, codec: failing, now: () => new Date(), notify: () => {}, limit: 5 });
      await expect(cut).rejects.toThrow("crash");
      await Promise.all([redecideAll(5), redecideAll(5), redecideAll(4)]);
      const tasks = (await asked()).map(({ task }) => task);
      expect(tasks.toSorted()).toEqual(days.map(({ task }) => task).toSorted());
      expect(new Set((await wanted()).values()).size).toBe(1);
    });

    test("of one user that cannot be decided keeps no other's waiting", async () => {
      const [stuck, other] = [newDay(), newDay("2027-03-01", otherUserId)];
      await hear(stuck.event, other.event);
      await put({ tz: "Asia/Tokyo" });
      await put({ tz: "Asia/Tokyo" }, otherUserId);
      const refusing: Encoder = {
        encode: (type, data) => {
          if ("task_id" in data && data.task_id === stuck.task) throw new Error("it cannot be encoded");
          return codec.encode(type, data);
        },
      };
      await until("the other's is decided", async () => {
        await redecideTasks({ db, codec: refusing, now: () => new Date(), notify: () => {} }).catch(() => {});
        return (await asked()).some(({ task }) => task === other.task);
      });
    });

    test("again while the first change is still being worked on begins anew with what is wanted last", async () => {
      const days = Array.from({ length: 9 }, () => newDay());
      await hear(...days.map(({ event }) => event));
      await put({ tz: "Asia/Tokyo" });
      await redecide(4);
      await put({ tz: "Pacific/Honolulu" });
      await redecideAll(4);
      expect([...new Set((await wanted()).values())]).toEqual(["1 2027-03-01T19:00:00.000Z PT0S=0"]);
    });

    test("while a batch waits for a task: what that batch has read is not taken for all there is", async () => {
      const { task, event } = newDay();
      await hear(event);
      await put({ tz: "Asia/Tokyo" });
      const release = Promise.withResolvers<void>();
      const locked = Promise.withResolvers<void>();
      const holding = db.transaction(async (tx) => {
        await tx`select 1 from wanted_reminders where task_id = ${task} for update`;
        locked.resolve();
        await release.promise;
      });
      await locked.promise;
      const batch = redecide();
      await until("the batch waits for the task", async () => (await waiting(db)) > 0);
      await put({ tz: "Pacific/Honolulu" });
      release.resolve();
      await Promise.all([holding, batch]);
      expect(await redecide()).toBe(true);
      expect(await redecide()).toBe(false);
      expect((await wanted()).get(task)).toContain("2027-03-01T19:00");
    });
  });

  describe("an event handled at the same moment", () => {
    test("before the change commits: the change waits for it, and its task is decided again", async () => {
      const { task, event } = newDay();
      const release = Promise.withResolvers<void>();
      const handled = Promise.withResolvers<void>();
      const hearing = db.transaction(async (tx) => {
        await wantReminders([event], context(tx));
        handled.resolve();
        await release.promise;
      });
      await handled.promise;
      let isPut = false;
      const putting = put({ tz: "Pacific/Auckland" }).then(() => (isPut = true));
      await until("the change waits for the lock", async () => (await waiting(db)) > 0);
      expect(isPut).toBe(false);
      release.resolve();
      await Promise.all([hearing, putting]);
      expect((await wanted()).get(task)).toContain("2027-03-01T09:00");
      await redecideAll();
      expect((await wanted()).get(task)).toContain("2027-02-28T20:00");
    });

    test("after the change began: it waits for the change and decides by what is new", async () => {
      const { task, event } = newDay();
      const release = Promise.withResolvers<void>();
      const locked = Promise.withResolvers<void>();
      const slow: Pick<Db, "transaction"> = {
        transaction: (work) =>
          db.transaction(async (tx) => {
            const done = await work(tx);
            locked.resolve();
            await release.promise;
            return done;
          }),
      };
      const change = () => ({ ...defaultPreferences, tz: "Pacific/Auckland" });
      const putting = changePreferences(slow, {
        userId,
        change,
        ifMatch: any,
        correlationId: "a-change",
        traceparent: trace,
      });
      await locked.promise;
      const hearing = hear(event);
      await until("the event waits for the lock", async () => (await waiting(db)) > 0);
      release.resolve();
      await Promise.all([putting, hearing]);
      expect((await wanted()).get(task)).toContain("2027-02-28T20:00");
    });

    test("many of both, in any order: in the end every task is decided by the last preferences, told by its last command", async () => {
      const zones = ["Asia/Tokyo", "Pacific/Honolulu", "Europe/Berlin", "America/New_York", "Pacific/Auckland"];
      const days = Array.from({ length: 40 }, () => newDay());
      let running = true;
      const looping = (async () => {
        while (running) {
          await redecide(7);
          await Bun.sleep(1);
        }
      })();
      const told: { task: string; sequence: number }[] = [];
      const note = (messages: Awaited<ReturnType<typeof hear>>) =>
        messages.forEach(({ subject, sequence }) => told.push({ task: subject, sequence: sequence ?? 0 }));
      await Promise.all([
        ...days.map(async ({ task, event }, index) => {
          await Bun.sleep(index * 3);
          note(await hear(event));
          note(await hear(updated(2, 2, { due_on: "2027-03-02", task })));
        }),
        ...zones.map(async (tz, index) => {
          await Bun.sleep(20 + index * 25);
          await put({ tz });
        }),
      ]);
      running = false;
      await looping;
      await redecideAll();
      const { settings } = (await findPreferences(db.sql, userId)) ?? { settings: defaultPreferences };
      const due = Temporal.PlainDate.from("2027-03-02").toZonedDateTime({ timeZone: settings.tz, plainTime: "09:00" });
      const last = `2 ${new Date(due.epochMilliseconds).toISOString()} PT0S=0`;
      expect([...new Set((await wanted()).values())]).toEqual([last]);
      // No count was used twice, and none is missing: the reader takes the highest.
      const all = [...told, ...(await asked())];
      for (const { task } of days) {
        const counts = all.filter((one) => one.task === task).map(({ sequence }) => sequence);
        expect(counts.toSorted((a, b) => a - b)).toEqual(counts.map((_, index) => index + 1));
      }
    }, 30_000);
  });
});

/** Sessions of this database that wait for a lock. */
async function waiting(db: Db): Promise<number> {
  const [row] = await db.sql<{ count: number }[]>`
    select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  return row?.count ?? 0;
}
