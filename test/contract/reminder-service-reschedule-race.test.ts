import { afterAll, beforeAll, expect, test } from "bun:test";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { makeFireReminders } from "../../workers/reminder-service/fire-reminders.ts";
import { command, created } from "../support/guard-messages.ts";
import { openReminderRequests, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { until } from "../support/until.ts";

let world: ReminderWorld;
let send: Send;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ send } = openReminderRequests(world));
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const hour = 3_600_000;
const reschedules = process.env["LONG_TESTS"] === "1" ? 2_000 : 200;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

async function ruleReminder(): Promise<string> {
  const task = crypto.randomUUID();
  const [asked, due] = [Date.now() - hour, Date.now() + 100];
  await world.handle(created(1, asked, { due, task }), command(1, { due: [due, 1, asked], task }));
  return ruleReminderId(task, "PT0S");
}

async function ownReminder(): Promise<string> {
  const task = crypto.randomUUID();
  await world.handle(created(1, Date.now(), { due: null, task }));
  return (await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: inMs(hour) } })).body.id;
}

/**
 * What instances of the timers do, as fast as they can and with wake-ups long stale: whatever was ever scheduled is
 * tried again.
 */
async function fireAll(signal: AbortSignal): Promise<void> {
  const fire = makeFireReminders({ db: world.db, codec: world.codec, notify: () => {} });
  while (!signal.aborted) {
    const due = await world.db.sql<{ id: string; generation: number; dueAt: Date }[]>`
      select id, generation::int as generation, remind_at as "dueAt" from reminders order by id`;
    const stale = due.map((row) => ({ ...row, generation: Math.max(1, row.generation - 1) }));
    await fire([...stale, ...due]);
    await Bun.sleep(20); // the requests need the machine as well
  }
}

test(`${reschedules} reminders snoozed and moved while three fire them: no generation twice, none early, no old one after the answer, the last exactly once`, async () => {
  const snoozed = await Promise.all(Array.from({ length: 10 }, ruleReminder));
  const moved = await Promise.all(Array.from({ length: 10 }, ownReminder));
  const abort = new AbortController();
  const firing = Promise.all([fireAll(abort.signal), fireAll(abort.signal), fireAll(abort.signal)]);
  /** What was answered: from then on an older generation is over. */
  const answered = new Map<string, { generation: number; at: number }[]>();
  const reschedule = async (id: string, isSnooze: boolean) => {
    const answers: { generation: number; at: number }[] = [];
    answered.set(id, answers);
    let aheadMs = 100;
    while (answers.length < reschedules / 20) {
      const at = inMs(aheadMs + Math.random() * aheadMs);
      const { status, body } = isSnooze
        ? await send("POST", `/v1/reminders/${id}/snooze`, { body: { until: at } })
        : await send("PATCH", `/v1/reminders/${id}`, { body: { remind_at: at } });
      if (status === 200) answers.push({ generation: Number(body["generation"]), at: Date.now() });
      // On a busy machine the time had passed when the request was read.
      aheadMs = status === 200 ? Math.max(50, aheadMs * 0.9) : aheadMs * 1.5;
      await Bun.sleep(Math.random() * 2 * aheadMs); // so that some have fired by the next one, and some have not
    }
  };
  await Promise.all([...snoozed.map((id) => reschedule(id, true)), ...moved.map((id) => reschedule(id, false))]);
  await until("nothing is pending", async () =>
    (await world.reminders()).every(({ status }) => status === "triggered"),
  );
  abort.abort();
  await firing;

  const written = await world.outbox();
  const firings = written.filter(({ type }) => type === "ReminderTriggered");
  const keys = firings.map(({ subject, data }) => `${subject} ${String(data["generation"])}`);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { createdAt, time } of firings) expect(createdAt.getTime()).toBeGreaterThanOrEqual(time.getTime());
  for (const { id, generation } of await world.reminders()) {
    expect(keys).toContain(`${id} ${generation}`);
    const mine = written.filter(({ subject }) => subject === id);
    expect(mine.map(({ sequence }) => sequence)).toEqual(mine.map((_, index) => index + 1));
    // The order of the outbox is that of the commits: what was told never goes back to an older generation.
    const generations = mine.map(({ data }) => Number(data["generation"]));
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
    for (const answer of answered.get(id) ?? [])
      for (const { createdAt, data } of firings.filter(({ subject }) => subject === id))
        if (Number(data["generation"]) < answer.generation) expect(createdAt.getTime()).toBeLessThanOrEqual(answer.at);
  }
  // The race was one: some had fired before they were rescheduled, and some had not.
  expect(firings.length).toBeGreaterThan(reschedules / 20);
  const ended = written.filter(({ data }) => data["reason"] === "snoozed" || data["reason"] === "moved");
  expect(ended.length).toBeGreaterThan(reschedules / 20);
}, 60_000);
