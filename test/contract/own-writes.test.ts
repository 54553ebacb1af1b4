import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { makeLog } from "../../shared/role/log.ts";
import type { ReceivedMessage } from "../../shared/messages/message.ts";
import { ruleReminderId } from "../../shared/reminders/rule-reminder-id.ts";
import { occurrenceId } from "../../shared/tasks/occurrence-id.ts";
import { tasksInMaking } from "../../workers/reminder-service/find-task.ts";
import { makeHandleTaskCommands } from "../../workers/task-service/handle-task-commands.ts";
import { command, completed, created as createdTask, updated } from "../support/guard-messages.ts";
import { openReminderRequests, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { ada as seriesAda, ben as seriesBen, created, openSeriesWorld, type SeriesWorld } from "./series-world.ts";
import { ada, ben, openWorld, type Task, type World } from "./task-service-world.ts";

const log = makeLog({}, "error");
const shortly = () => new Promise<void>((resolve) => setTimeout(resolve, 250));
const took = async <T>(work: () => Promise<T>) => {
  const began = performance.now();
  return { done: await work(), ms: performance.now() - began };
};

describe("the first occurrence of a template just made", () => {
  let world: World;
  beforeAll(async () => void (world = await openWorld()), 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  type First = Readonly<{ id: string; recurrence_id: string; due_date: string }>;
  const makeTemplate = async () => {
    const pattern = { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2099-01-02T17:00" };
    const { body } = await world.send("POST", "/v1/tasks", { body: { title: "plants", recurrence_pattern: pattern } });
    return { template: body, first: body["first_occurrence"] as First };
  };
  /** As the command of the recurring task worker makes it. */
  const makeFirst = async (template: Task, first: First) =>
    world.db.transaction((tx) =>
      makeHandleTaskCommands(() => {})(
        {
          type: "CreateOccurrence",
          data: {
            occurrence_id: first.id,
            template_id: template.id,
            user_id: ada,
            recurrence_id: first.recurrence_id,
            due_date: new Date(first.due_date),
            due_on: null,
            due_tz: "UTC",
            requested_at: new Date(),
            completed_at: null,
          },
        } as unknown as ReceivedMessage,
        { tx, log, now: new Date(), signal: AbortSignal.timeout(10_000) },
      ),
    );

  test.each([
    ["GET", "", undefined],
    ["PATCH", "", { title: "cactus" }],
    ["POST", "/complete", undefined],
    ["POST", "/stop-after", undefined],
    ["PATCH", "?scope=all", { title: "cactus" }],
    ["DELETE", "", undefined],
  ] as const)("%s %s waits until it is there", async (method, end, body) => {
    const { template, first } = await makeTemplate();
    expect(first.id).toBe(occurrenceId(template.id, first.recurrence_id));
    const asked = world.send(method, `/v1/tasks/${first.id}${end}`, { body });
    await shortly();
    await makeFirst(template, first);
    const { status } = await asked;
    expect(status).toBe(method === "DELETE" ? 204 : 200);
  });

  test("answers 503 where it is not made within 3 s", async () => {
    const { first } = await makeTemplate();
    const { done, ms } = await took(() => world.send("GET", `/v1/tasks/${first.id}`));
    expect([done.status, done.body["code"]]).toEqual([503, "UNAVAILABLE"]);
    expect(ms).toBeGreaterThan(2_900);
  }, 10_000);

  test("another user, an unknown id, a deleted template and a deleted occurrence answer 404 at once", async () => {
    const { first } = await makeTemplate();
    const gone = await makeTemplate();
    await world.send("DELETE", `/v1/tasks/${gone.template.id}`);
    const made = await makeTemplate();
    await makeFirst(made.template, made.first);
    await world.send("DELETE", `/v1/tasks/${made.first.id}`);
    const { done, ms } = await took(async () => [
      await world.send("GET", `/v1/tasks/${first.id}`, { as: ben }),
      await world.send("GET", `/v1/tasks/${Bun.randomUUIDv5("unknown", first.id)}`),
      await world.send("GET", `/v1/tasks/${gone.first.id}`),
      await world.send("GET", `/v1/tasks/${made.first.id}`),
    ]);
    expect(done.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect(ms).toBeLessThan(2_900);
  });

  test("one of a series that is begun and did not ask for it answers 404 at once; one asked for is waited for", async () => {
    const { template, first } = await makeTemplate();
    await world.db
      .sql`insert into series (id, template_id, user_id, status) values (${template.id}, ${template.id}, ${ada}, 'ended')`;
    expect((await world.send("GET", `/v1/tasks/${first.id}`)).status).toBe(404);
    await world.db.sql`
      insert into occurrences (id, series_id, number, recurrence_id, schedule_key, starts_at, due_passes_at, state)
      values (${first.id}, ${template.id}, 1, ${first.recurrence_id}, ${template.id}, now(), now(), 'open')`;
    const asked = world.send("GET", `/v1/tasks/${first.id}`);
    await shortly();
    await makeFirst(template, first);
    expect((await asked).status).toBe(200);
  });

  test("an answer given again under its key tells the same", async () => {
    const of = {
      key: crypto.randomUUID(),
      body: { title: "plants", due_date: "2099-01-01T00:00:00Z", remind: ["PT1H"] },
    };
    const first = await world.send("POST", "/v1/tasks", of);
    const again = await world.send("POST", "/v1/tasks", of);
    expect(first.body["reminders"]).toMatchObject([{ rule: "PT1H", remind_at: "2098-12-31T23:00:00.000Z" }]);
    expect(again.body).toEqual(first.body);
  });

  test("usual reminders are those of the preferences as they stand", async () => {
    const settings = { tz: "Asia/Tokyo", default_reminders: ["P1D@18:00"] };
    await world.db
      .sql`insert into preferences (user_id, settings) values (${ben}, ${JSON.stringify(settings)}::text::jsonb)`;
    const { body } = await world.send("POST", "/v1/tasks", { as: ben, body: { title: "a", due_on: "2099-01-02" } });
    expect(body["reminders"]).toMatchObject([{ rule: "P1D@18:00", remind_at: "2099-01-01T09:00:00.000Z" }]);
  });
});

describe("the series of a template just made or changed", () => {
  let world: SeriesWorld;
  beforeAll(async () => void (world = await openSeriesWorld()), 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const pattern = { rrule: "FREQ=WEEKLY", tz: "UTC", start: "2099-01-02T17:00:00" };
  const writeTemplate = (id: string) => world.db.sql`
    insert into tasks (id, user_id, title, created_at, updated_at, is_recurring_template, recurrence_pattern)
    values (${id}, ${seriesAda}, 'plants', clock_timestamp(), clock_timestamp(), true, ${JSON.stringify(pattern)})`;

  test.each([
    ["GET", ""],
    ["GET", "/occurrences"],
    ["POST", "/occurrences/2099-01-09T17:00:00/skip"],
  ])("%s %s waits until it is begun", async (method, end) => {
    const id = Bun.randomUUIDv7();
    await writeTemplate(id);
    const asked = world.send(method, `/v1/series/${id}${end}`);
    await shortly();
    await world.hear([created(id, pattern)]);
    expect((await asked).status).toBe(200);
  });

  test("answers 503 where it is not begun within 3 s, and 404 at once to another user and of a deleted template", async () => {
    const id = Bun.randomUUIDv7();
    await writeTemplate(id);
    expect((await world.send("GET", `/v1/series/${id}`)).status).toBe(503);
    const { done, ms } = await took(async () => {
      const foreign = await world.send("GET", `/v1/series/${id}`, { as: seriesBen });
      await world.db.sql`update tasks set deleted_at = clock_timestamp() where id = ${id}`;
      return [foreign.status, (await world.send("GET", `/v1/series/${id}`)).status];
    });
    expect(done).toEqual([404, 404]);
    expect(ms).toBeLessThan(2_900);
  }, 15_000);

  test("what was changed long ago and is not heard of slows nobody", async () => {
    const id = Bun.randomUUIDv7();
    await writeTemplate(id);
    await world.hear([created(id, pattern)]);
    await world.db
      .sql`update tasks set version = 2, updated_at = clock_timestamp() - interval '1 minute' where id = ${id}`;
    const { done, ms } = await took(() => world.send("GET", `/v1/series/${id}`));
    expect(done.status).toBe(200);
    expect(ms).toBeLessThan(2_900);
  });
});

describe("the reminders of a task just changed", () => {
  let world: ReminderWorld;
  let send: Send;
  beforeAll(async () => {
    world = await openReminderWorld();
    ({ send } = openReminderRequests(world, () => {}));
  }, 60_000);
  afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

  const later = () => new Date(Date.now() + 3_600_000).toISOString();
  const isChanged = (task: string) => world.db.sql`update tasks set updated_at = clock_timestamp() where id = ${task}`;
  const isWanted = (task: string, commands: number) => world.db.sql`
    insert into wanted_reminders (task_id, user_id, folded, commands)
    select id, user_id, jsonb_build_object('version', version), ${commands} from tasks where id = ${task}`;

  test("one set after reopening is taken, though the reopening is not heard of yet", async () => {
    const task = crypto.randomUUID();
    await world.handle(createdTask(1, Date.now(), { due: null, task }), completed(2, Date.now(), { task }));
    const set = () => send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: later() } });
    expect((await set()).status).toBe(409);
    await world.db.sql`update tasks set status = 'open', completed_at = null where id = ${task}`;
    expect((await set()).status).toBe(201);
  });

  test("one that went with a closing is not said to be dismissed while the reopening is not heard of: 503, then it is changed", async () => {
    const task = crypto.randomUUID();
    await world.handle(createdTask(1, Date.now(), { due: null, task }));
    const { body } = await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: later() } });
    await world.handle(completed(2, Date.now(), { task }));
    await world.db.sql`update tasks set status = 'open', completed_at = null where id = ${task}`;
    const change = () => send("PATCH", `/v1/reminders/${body.id}`, { body: { drop_after: "PT1H" } });
    expect(await change()).toMatchObject({ status: 503, body: { code: "UNAVAILABLE" } });
    await world.handle(updated(3, Date.now(), { task, status: "open" }));
    expect((await change()).status).toBe(200);
  });

  test("are listed once what the scheduling worker asks for has arrived", async () => {
    const task = crypto.randomUUID();
    const due = Date.now() + 3_600_000;
    await world.handle(createdTask(1, Date.now(), { due, task }));
    await isChanged(task);
    const asked = send("GET", `/v1/tasks/${task}/reminders`);
    await shortly();
    await isWanted(task, 1);
    await shortly();
    await world.handle(command(1, { due: [due, 1, Date.now()], task }));
    expect((await asked).body.items).toHaveLength(1);
  });

  test("one that is not there yet is waited for while a task is new, and an unknown one is not", async () => {
    const [task, unknown] = [crypto.randomUUID(), Bun.randomUUIDv5("unknown", crypto.randomUUID())];
    const { ms, done } = await took(() => send("GET", `/v1/reminders/${unknown}`));
    expect(done.status).toBe(404);
    expect(ms).toBeLessThan(1_900);
    const due = Date.now() + 3_600_000;
    await world.handle(createdTask(1, Date.now(), { due, task }));
    await isChanged(task);

    const asked = send("GET", `/v1/reminders/${ruleReminderId(task, "PT0S")}`);
    await shortly();
    await isWanted(task, 1);
    await world.handle(command(1, { due: [due, 1, Date.now()], task }));
    expect((await asked).status).toBe(200);
  });

  test("a reminder that is not there costs no look at every task of its user", async () => {
    const user = crypto.randomUUID();
    await world.db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at)
      select gen_random_uuid(), ${user}, 'old', now() - interval '1 hour', now() from generate_series(1, 5000)`;
    await world.db.sql`analyze tasks`;
    const plan = await world.db.sql<{ "QUERY PLAN": string }[]>`explain (analyze) ${tasksInMaking(world.db.sql, user)}`;
    const text = plan.map((line) => line["QUERY PLAN"]).join("\n");
    expect(text).toContain("tasks_of_user");
    const removed = [...text.matchAll(/Rows Removed by Filter: (\d+)/g)].map(([, rows]) => Number(rows));
    expect(Math.max(0, ...removed)).toBeLessThan(100);
  });
});
