import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Db } from "../../shared/postgres/db.ts";
import { listReminders } from "../../workers/reminder-service/list-reminders.ts";
import { openTestDb } from "../support/database.ts";
import { completed, created, deleted, updated } from "../support/guard-messages.ts";
import { openReminderRequests, type Body, type Send } from "../support/reminder-requests.ts";
import { openReminderWorld, type ReminderWorld } from "../support/reminder-world.ts";
import { writeTasks } from "../support/task-table.ts";

let world: ReminderWorld;
let send: Send;
beforeAll(async () => {
  world = await openReminderWorld();
  ({ send } = openReminderRequests(world));
}, 60_000);
afterAll(() => world?.[Symbol.asyncDispose](), 30_000);

const at = (seconds: number) => new Date(Date.UTC(2099, 0, 1) + seconds * 1000).toISOString();
const query = (filters: Record<string, string>) => new URLSearchParams(filters).toString();

/** A user with ways to make tasks and reminders, and to list these. */
function newUser() {
  const user = crypto.randomUUID();
  const list = async (filters: Record<string, string>) =>
    (await send("GET", `/v1/reminders?${query(filters)}`, { user })).body;
  return {
    user,
    list,
    newTask: async () => {
      const task = crypto.randomUUID();
      await world.handle(created(1, Date.now(), { due: null, task, user }));
      return task;
    },
    remind: async (task: string, seconds: number) =>
      (await send("POST", `/v1/tasks/${task}/reminders`, { body: { remind_at: at(seconds) }, user })).body.id,
    idsOf: async (filters: Record<string, string>) => (await list(filters)).items.map(({ id }) => id),
    refused: async (filters: string) => {
      const { status, body } = await send("GET", `/v1/reminders?${filters}`, { user });
      return [status, body.errors?.map(({ path, message }) => `${path} ${message}`).join()];
    },
  };
}

/** As firing leaves it. */
const fire = async (...ids: readonly string[]) =>
  await world.db.sql`
    update reminders set status = 'triggered', triggered_at = clock_timestamp(), version = version + 1
    where id = any(${[...ids]}::uuid[])`;

describe("reminders of a time", () => {
  test("begin with remind_after and end before remind_before, in any zone's spelling", async () => {
    const { newTask, remind, idsOf } = newUser();
    const task = await newTask();
    const [first = "", second = "", third = ""] = [
      await remind(task, 0),
      await remind(task, 0.001),
      await remind(task, 1),
    ];
    expect(await idsOf({ remind_after: at(0), remind_before: at(1) })).toEqual([first, second]);
    expect(await idsOf({ remind_after: at(0.001) })).toEqual([second, third]);
    expect(await idsOf({ remind_before: at(0.001) })).toEqual([first]);
    expect(await idsOf({ remind_after: "2099-01-01T02:00:01+02:00" })).toEqual([third]);
    expect(
      await idsOf({ remind_after: at(0), remind_before: at(1), task_id: task, status: "pending", limit: "1" }),
    ).toEqual([first]);
    expect(await newUser().idsOf({ remind_after: at(0) })).toEqual([]);
  });

  test.each([
    [`remind_after=${at(1)}&remind_before=${at(1)}`, "query.remind_before is not after remind_after"],
    [`remind_after=${at(1)}&remind_before=${at(0)}`, "query.remind_before is not after remind_after"],
    ["remind_after=2099-01-01", "query.remind_after is not an RFC 3339 time with an offset"],
    ["remind_before=2099-02-30T10:00:00Z", "query.remind_before names 2099-02-30, a day no calendar has"],
    [`remind_after=${at(1)}&remind_after=${at(2)}`, "query.remind_after is given more than once"],
    ["task_status=done", "query.task_status "],
    ["expand=user", "query.expand "],
    ["remind_since=2099-01-01T10:00:00Z", "query.remind_since is not a field here"],
  ])("asked for with %s are refused, and the mistake is named", async (filters, mistake) => {
    expect(await newUser().refused(filters)).toEqual([422, expect.stringContaining(mistake)]);
  });

  test("go on with the same filters alone", async () => {
    const { newTask, remind, list, refused } = newUser();
    const task = await newTask();
    const ids = [await remind(task, 0), await remind(task, 1), await remind(task, 2)];
    const filters = { remind_after: at(0), remind_before: at(3), task_status: "open" };
    const { next_cursor } = await list({ ...filters, limit: "1" });
    const cursor = String(next_cursor);
    const rest = await list({ ...filters, cursor, expand: "task" });
    expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(1));
    for (const others of [
      {},
      { ...filters, remind_after: at(0.5) },
      { ...filters, remind_before: at(4) },
      { ...filters, task_status: "completed" },
      { remind_after: at(0), remind_before: at(3) },
    ])
      expect(await refused(query({ ...others, cursor }))).toEqual([422, expect.stringContaining("query.cursor")]);
  });
});

describe("the task of a reminder", () => {
  const tasksOf = (body: Body) => body.items.map(({ task }) => task);

  test("comes with expand=task as task-service's table has it now, and not otherwise", async () => {
    const { newTask, remind, list, user } = newUser();
    const task = await newTask();
    const id = await remind(task, 0);
    await world.db.sql`
      update tasks set title = 'Water the plants', due_date = ${at(60)}, due_tz = 'Asia/Kolkata', priority = 'High', tags = '{home,"a, b"}'
      where id = ${task}`;
    const shown = {
      id: task,
      title: "Water the plants",
      due_date: at(60),
      due_on: null,
      due_tz: "Asia/Kolkata",
      priority: "High",
      tags: ["home", "a, b"],
      status: "open",
      completed_at: null,
      deleted_at: null,
    };
    expect(tasksOf(await list({ expand: "task" }))).toEqual([shown]);
    expect((await send("GET", `/v1/reminders/${id}?expand=task`, { user })).body["task"]).toEqual(shown);
    for (const path of ["/v1/reminders", `/v1/reminders/${id}`, `/v1/tasks/${task}/reminders`])
      expect(JSON.stringify((await send("GET", path, { user })).body)).not.toContain('"task":');
    expect((await send("GET", `/v1/reminders/${id}?expand=user`, { user })).body.errors).toMatchObject([
      { path: "query.expand" },
    ]);
    const day = new Date(2_000).toISOString();
    await writeTasks(world.db.sql, [completed(2, Date.now(), { task, user })]);
    await world.db.sql`
      update tasks set due_date = null, due_on = '2099-01-02', completed_at = ${day}, deleted_at = ${at(1.5)} where id = ${task}`;
    expect(tasksOf(await list({ expand: "task" }))).toEqual([
      { ...shown, due_date: null, due_on: "2099-01-02", status: "completed", completed_at: day, deleted_at: at(1.5) },
    ]);
  });

  test("is null where there is none, and where it is another user's", async () => {
    const { newTask, remind, list, idsOf } = newUser();
    const stranger = newUser();
    const [lost, foreign] = [await newTask(), await newTask()];
    await remind(lost, 0);
    await remind(foreign, 1);
    await world.db.sql`delete from tasks where id = ${lost}`;
    await world.db.sql`update tasks set user_id = ${stranger.user} where id = ${foreign}`;
    expect(tasksOf(await list({ expand: "task" }))).toEqual([null, null]);
    for (const task_status of ["open", "completed", "deleted"]) {
      expect(await idsOf({ task_status })).toEqual([]);
      expect(await stranger.idsOf({ task_status, task_id: foreign })).toEqual([]);
      expect(await stranger.idsOf({ task_status })).toEqual([]);
    }
    expect(await stranger.idsOf({ expand: "task" })).toEqual([]);
    // A row that should not be, of the stranger's for a task of this user.
    const task = await newTask();
    const [mine, forged] = [await remind(task, 2), await remind(task, 3)];
    await world.db.sql`update reminders set user_id = ${stranger.user} where id = ${forged}`;
    expect(await idsOf({ task_status: "open" })).toEqual([mine]);
    expect(await stranger.idsOf({ task_status: "open" })).toEqual([]);
    expect(tasksOf(await stranger.list({ expand: "task" }))).toEqual([null]);
  });

  test("chooses: of those that have fired, the ones to show are those of open tasks", async () => {
    const { newTask, remind, idsOf, user } = newUser();
    const [open, done, gone, doneAndGone] = [await newTask(), await newTask(), await newTask(), await newTask()];
    const ids = new Map<string, string>();
    for (const [second, task] of [gone, done, open, doneAndGone].entries()) ids.set(task, await remind(task, second));
    await fire(...ids.values());
    const waiting = await remind(open, 10);
    await world.handle(
      completed(2, Date.now(), { task: done, user }),
      deleted(2, Date.now(), { task: gone, user }),
      completed(2, Date.now(), { task: doneAndGone, user }),
      deleted(3, Date.now(), { task: doneAndGone, user }),
    );
    const of = (...tasks: readonly string[]) => tasks.map((task) => ids.get(task) ?? "");
    expect(await idsOf({ status: "triggered" })).toEqual(of(gone, done, open, doneAndGone));
    expect(await idsOf({ status: "triggered", task_status: "open" })).toEqual(of(open));
    expect(await idsOf({ task_status: "open" })).toEqual([...of(open), waiting]);
    expect(await idsOf({ task_status: "open", status: "pending" })).toEqual([waiting]);
    expect(await idsOf({ task_status: "completed", status: "pending" })).toEqual([]);
    expect(await idsOf({ task_status: "open", task_id: open })).toEqual([...of(open), waiting]);
    expect(await idsOf({ task_status: "open", task_id: done })).toEqual([]);
    expect(await idsOf({ task_status: "open", remind_after: at(10) })).toEqual([waiting]);
    expect(await idsOf({ task_status: "completed" })).toEqual(of(done));
    expect(await idsOf({ task_status: "deleted" })).toEqual(of(gone, doneAndGone));
    await world.handle(updated(3, Date.now(), { status: "open", task: done, user }));
    expect(await idsOf({ status: "triggered", task_status: "open" })).toEqual(of(done, open));
    const page = await idsOf({ task_status: "open", limit: "2" });
    expect(page).toEqual(of(done, open));
  });

  test("counts as closed from the commit on, not from when its event is heard of", async () => {
    const { newTask, remind, idsOf, user } = newUser();
    const task = await newTask();
    const id = await remind(task, 0);
    expect(await idsOf({ task_status: "open" })).toEqual([id]);
    await writeTasks(world.db.sql, [completed(2, Date.now(), { task, user })]);
    expect(await idsOf({ task_status: "open" })).toEqual([]);
    expect(await idsOf({ task_status: "open", status: "pending" })).toEqual([]);
    expect(await idsOf({ status: "pending" })).toEqual([id]);
    expect(await idsOf({ task_status: "completed" })).toEqual([id]);
  });

  test("an open one's reminders are walked page by page, each once, and deleted ones stay away", async () => {
    const { newTask, remind, list, user } = newUser();
    const tasks = [await newTask(), await newTask(), await newTask()];
    const ids: string[] = [];
    for (let second = 0; second < 7; second++) ids.push(await remind(tasks[second % 3] ?? "", second));
    await send("DELETE", `/v1/reminders/${ids[3]}`, { user });
    const walked: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Body = await list({ task_status: "open", limit: "2", ...(cursor ? { cursor } : {}) });
      walked.push(...page.items.map(({ id }) => id));
      cursor = page.next_cursor;
    }
    expect(walked).toEqual(ids.toSpliced(3, 1));
  });
});

describe("with a long history", () => {
  const tasks = 5_000;
  const openTasks = 20;
  const userId = crypto.randomUUID();
  /** With 1,000 open tasks, each with a reminder that waits. */
  const busyId = crypto.randomUUID();
  let db: Db;
  beforeAll(async () => {
    // One connection, so that its counters can be told to be shown at once.
    db = await openTestDb(1);
    // Of each user else one task with one reminder: by the statistics a user has next to nothing.
    await db.sql`
      insert into tasks (id, user_id, title, created_at, updated_at, status, completed_at)
      select gen_random_uuid(), case when n <= ${tasks} then ${userId}::uuid when n <= ${tasks + 1_000} then ${busyId}::uuid else gen_random_uuid() end, 'x',
        now() + n * interval '1 minute', now(), state, case state when 'completed' then now() end
      from generate_series(1, ${tasks * 3}::int) n,
        lateral (select case when n between 1 and ${tasks - openTasks} then 'completed' else 'open' end as state) as states`;
    await db.sql`
      insert into reminder_guards (task_id, user_id, closed) select id, user_id, status = 'completed' from tasks`;
    await db.sql`
      insert into reminders (id, task_id, user_id, remind_at, generation, status, version, triggered_at)
      select gen_random_uuid(), id, user_id, created_at + k * interval '1 s', 1,
        case when status = 'open' and k = 1 then 'pending' when k = 2 then 'dismissed' else 'triggered' end, 1, now()
      from tasks, generate_series(1, case user_id when ${userId} then 4 else 1 end) k`;
    for (const table of ["tasks", "reminder_guards", "reminders"]) await db.sql`vacuum analyze ${db.sql(table)}`;
  }, 60_000);
  afterAll(async () => db?.[Symbol.asyncDispose](), 30_000);

  /** How many rows it reads, of all tables it may read. */
  const readBy = async (work: () => Promise<unknown>) => {
    const read = async () => {
      await db.sql`select pg_stat_force_next_flush()`;
      const [row] = await db.sql<{ n: number }[]>`
        select sum(idx_tup_fetch + seq_tup_read)::int as n from pg_stat_user_tables
        where relname in ('tasks', 'reminder_guards', 'reminders')`;
      return row?.n ?? Number.NaN;
    };
    const before = await read();
    await work();
    return (await read()) - before;
  };
  const latest = new Date(Date.now() + (tasks - 10) * 60_000);
  const lists = [
    {},
    { status: "pending" },
    { status: "triggered" },
    { taskStatus: "open" },
    { taskStatus: "open", status: "triggered" },
    { taskStatus: "open", status: "pending" },
    { taskStatus: "completed" },
    { remindAfter: latest },
    { remindAfter: latest, taskStatus: "deleted" },
  ] as const;

  const rowsOfPage = async (filters: Readonly<{ userId: string } & Partial<Parameters<typeof listReminders>[1]>>) => {
    let found = 0;
    const page = { limit: 10, cursor: null, withTask: true, ...filters };
    const rows = await readBy(async () => (found = (await listReminders(db.sql, page)).items.length));
    return { found, rows: rows < 400 ? "few" : rows };
  };
  const modes = ["force_custom_plan", "force_generic_plan"];

  test.each(lists)("a page of %j reads little of it, whether its plan knows the values or not", async (filters) => {
    const found = "taskStatus" in filters && filters.taskStatus === "deleted" ? 0 : 10;
    for (const mode of modes) {
      await db.sql.unsafe(`set plan_cache_mode = ${mode}`);
      expect({ mode, ...(await rowsOfPage({ userId, ...filters })) }).toEqual({ mode, found, rows: "few" });
    }
  });

  test("a page of what waits for open tasks does not look at each of them", async () => {
    for (const mode of modes) {
      await db.sql.unsafe(`set plan_cache_mode = ${mode}`);
      const page = await rowsOfPage({ userId: busyId, taskStatus: "open", status: "pending" });
      expect({ mode, ...page }).toEqual({ mode, found: 10, rows: "few" });
    }
  });
});
