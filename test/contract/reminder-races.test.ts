import { afterAll, beforeAll, expect, test } from "bun:test";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import type { ReminderAnswer } from "../../workers/reminder-service/answer-once.ts";
import type { ReminderRequest } from "../../workers/reminder-service/write-events.ts";
import { openReminderQuota } from "../../workers/reminder-service/reminder-quota.ts";
import { createReminder, dismissReminder } from "../../workers/reminder-service/write-reminder.ts";
import { command, created, updated, userId } from "../support/guard-messages.ts";
import { startReminderTimers } from "../support/reminder-timers.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { until } from "../support/until.ts";

const isLong = process.env["LONG_TESTS"] === "1";
const reschedules = isLong ? 1_000 : 200;
const tasks = reschedules / 10;

let world: ReminderWorld;
beforeAll(async () => {
  world = await openReminderWorld();
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const asked = (): ReminderRequest => ({
  userId,
  key: null,
  correlationId: "test",
  traceparent: null,
  now: new Date(),
  signal: AbortSignal.timeout(60_000),
});
const databaseNow = async () => {
  const [clock] = await world.db.sql<{ now: Date }[]>`select clock_timestamp() as now`;
  return clock?.now.getTime() ?? Number.NaN;
};

/**
 * A generation that was to fire at `dueAt` and, since `answeredAt`, is not to any more; both by the database's clock.
 */
type Given = Readonly<{ id: string; generation: number; dueAt: number; answeredAt: number }>;

/** How long one rescheduling takes here, on average: due times are set so that they race with it, on any machine. */
const pace = { ms: 100 };
const soonMs = () => Math.round(pace.ms * (1 + Math.random() * 3));

/**
 * Moves a task's reminder to some moment soon, in one of the ways a person can; tells which generation it takes back
 * and which reminder waits now.
 */
type Reschedule = (task: string, turn: number) => Promise<Readonly<{ takenBack: Given | null; id: string }>>;

const ways: Readonly<Record<string, () => Reschedule>> = {
  "by dismissing it and setting another": () => {
    const current = new Map<string, string>();
    return async (task, turn) => {
      const id = current.get(task);
      const writing = { db: world.db, codec: world.codec, notify: () => {}, quota: openReminderQuota(0, world.db) };
      const dismissed = id === undefined ? null : await dismissReminder(writing, id, asked());
      const answeredAt = await databaseNow();
      // Every third time at the same instant, where that is still ahead: the same reminder in a new generation.
      const isSame = dismissed !== null && turn % 3 === 0 && dismissed.remindAt.getTime() > answeredAt + 50;
      const set = (remindAt: Date) => createReminder(writing, { taskId: task, remindAt }, asked());
      // Refused where the instant has passed meanwhile, on a busy machine: then for a later one.
      const soon = async (times: number): Promise<ReminderAnswer> =>
        await set(new Date((await databaseNow()) + times * soonMs())).catch(() => soon(2 * times));
      const { body } = await (isSame ? set(dismissed.remindAt).catch(() => soon(1)) : soon(1));
      const { id: made } = JSON.parse(body) as { id: string };
      current.set(task, made);
      if (dismissed === null) return { takenBack: null, id: made };
      const dueAt = dismissed.remindAt.getTime();
      return { takenBack: { id: dismissed.id, generation: dismissed.generation, dueAt, answeredAt }, id: made };
    };
  },
  "by its task's due date": () => {
    const versions = new Map<string, number>();
    return async (task) => {
      const id = ruleReminderId(task, "PT0S");
      const [before] = (await world.reminders()).filter((one) => one.id === id);
      const version = (versions.get(task) ?? 1) + 1;
      versions.set(task, version);
      const now = await databaseNow();
      const due = now + soonMs();
      await world.handle(updated(version, now, { due, task }));
      const answeredAt = await databaseNow();
      // To the instant it has already: that moves nothing.
      if (before === undefined || before.remindAt.getTime() === due) return { takenBack: null, id };
      return { takenBack: { id, generation: before.generation, dueAt: before.remindAt.getTime(), answeredAt }, id };
    };
  },
};

test.each(Object.keys(ways))(
  `${reschedules} reminders rescheduled %s while two instances fire: no generation twice, none that was taken back in time, the last once`,
  async (way) => {
    await world.db.sql`truncate reminders, reminder_guards, outbox`;
    const fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => {} });
    await using _ = await startReminderTimers(world, { fire, count: 2 });
    const reschedule = ways[way]?.() ?? (() => Promise.reject(new Error(way)));
    const all = await Promise.all(
      Array.from({ length: tasks }, async () => {
        const task = crypto.randomUUID();
        const made = Date.now() - 3_600_000;
        const rules = { due: [null, 1, made], status: ["open", 1, made], task } as const;
        await world.handle(created(1, made, { due: null, task }), command(1, rules));
        return task;
      }),
    );
    const last: string[] = [];
    const given = await Promise.all(
      all.map(async (task, index) => {
        const gaveUp: Given[] = [];
        for (let turn = 0; turn < reschedules / tasks; turn++) {
          const began = performance.now();
          const { takenBack, id } = await reschedule(task, turn);
          pace.ms = 0.9 * pace.ms + 0.1 * (performance.now() - began);
          last[index] = id;
          if (takenBack !== null) gaveUp.push(takenBack);
          await Bun.sleep(Math.random() * 2 * pace.ms); // some are taken back in time, some just as they fire, some after
        }
        return gaveUp;
      }),
    );
    await until(
      "nothing is pending",
      async () => (await world.reminders()).every(({ status }) => status !== "pending"),
      { timeoutMs: 60_000, everyMs: 200 },
    );
    const fired = (await world.outbox()).filter(({ type }) => type === "ReminderTriggered");
    const keys = fired.map(({ subject, data }) => `${subject} ${String(data["generation"])}`);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { createdAt, time } of fired) expect(createdAt.getTime()).toBeGreaterThanOrEqual(time.getTime());
    const inTime = given.flat().filter(({ answeredAt, dueAt }) => answeredAt < dueAt);
    console.info(`${way}: ${given.flat().length} taken back, ${inTime.length} of them in time; ${keys.length} fired`);
    expect(inTime.length).toBeGreaterThan(0);
    expect(inTime.filter(({ id, generation }) => keys.includes(`${id} ${generation}`))).toEqual([]);
    for (const { id, generation, status } of await world.reminders())
      if (status === "triggered") expect(keys.filter((key) => key === `${id} ${generation}`)).toHaveLength(1);
    // Nobody took the last one of each task back.
    const statuses = new Map((await world.reminders()).map(({ id, status }) => [id, status]));
    expect(last.map((id) => statuses.get(id))).toEqual(all.map(() => "triggered"));
  },
  isLong ? 600_000 : 90_000,
);
