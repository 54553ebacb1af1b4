import { afterAll, beforeAll, expect, test } from "bun:test";
import { created } from "../support/guard-messages.ts";
import { openReminderRequests, type Answer, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";

let world: ReminderWorld;
let send: Send;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ send } = openReminderRequests(world, () => {}, 4));
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const hour = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * hour).toISOString();

async function setup() {
  const user = crypto.randomUUID();
  const task = async () => {
    const id = crypto.randomUUID();
    await world.handle(created(1, Date.now(), { due: null, task: id, user }));
    return id;
  };
  const set = (id: string, hours: number, key?: string): Promise<Answer> => {
    const body = { remind_at: inHours(hours) };
    return send("POST", `/v1/tasks/${id}/reminders`, { user, body, ...(key === undefined ? {} : { key }) });
  };
  return { user, task, set };
}

test("a person's own that wait are bounded over all tasks; deleting or dismissing one makes room", async () => {
  const { user, task, set } = await setup();
  const [one, two] = [await task(), await task()];
  const made = [await set(one, 1), await set(one, 2), await set(two, 3), await set(two, 4)];
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  const refused = await set(two, 5);
  expect([refused.status, refused.body]).toEqual([
    409,
    expect.objectContaining({
      code: "QUOTA_EXCEEDED",
      detail: "You may have 4 reminders of your own that wait: delete or dismiss some first",
    }),
  ]);
  expect((await send("DELETE", `/v1/reminders/${made[0]?.body.id}`, { user })).status).toBe(204);
  expect((await set(two, 5)).status).toBe(201);
  expect((await set(two, 6)).status).toBe(409);
  expect((await send("POST", `/v1/reminders/${made[1]?.body.id}/dismiss`, { user })).status).toBe(200);
  expect((await set(two, 6)).status).toBe(201);
});

test("what was set under a key is answered again", async () => {
  const { user, task, set } = await setup();
  const one = await task();
  const body = { remind_at: inHours(1) };
  const first = await send("POST", `/v1/tasks/${one}/reminders`, { user, body, key: "k1" });
  for (const hours of [2, 3, 4]) await set(one, hours);
  expect((await set(one, 5)).status).toBe(409);
  const again = await send("POST", `/v1/tasks/${one}/reminders`, { user, body, key: "k1" });
  expect([again.status, again.body.id, again.replayed]).toEqual([201, first.body.id, "true"]);
});
