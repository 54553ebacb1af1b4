import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { until } from "../support/until.ts";
import { operatorWorld } from "../support/operator-world.ts";
import { examineViews, mendViews } from "../../workers/task-update-broadcaster/rebuild-views.ts";
import { loadViews, saveViews } from "../../workers/task-update-broadcaster/store-views.ts";
import { foldView } from "../../workers/task-update-broadcaster/fold-view.ts";
import { taskCreated } from "../support/task-created.ts";

setDefaultTimeout(60_000);
const world = await operatorWorld();
const { db, codec } = world;
afterAll(() => world[Symbol.asyncDispose](), 30_000);
const signal = new AbortController().signal;
const settleMs = 0;
const [userId, at] = [crypto.randomUUID(), new Date(1_790_000_000_000)];

/** A task with a reminder, as their writers' tables have them, and the view of its first events. */
async function task(title: string): Promise<string> {
  const id = crypto.randomUUID();
  await db.sql`
    insert into tasks (id, user_id, title, description, created_at, updated_at, due_date, priority, tags, status, version)
    values (${id}, ${userId}, ${title}, 'said', ${at}, ${at}, ${at}, 'High', '{a,b}', 'open', 1)`;
  const created = {
    type: "TaskCreated",
    subject: id,
    sequence: 1,
    data: taskCreated({
      id,
      user_id: userId,
      title,
      description: "said",
      created_at: at,
      due_date: at,
      priority: "High",
      tags: ["a", "b"],
    }),
  } as const;
  const reminderId = crypto.randomUUID();
  await db.sql`
    insert into reminders (id, task_id, user_id, rule, remind_at, generation, status, version)
    values (${reminderId}, ${id}, ${userId}, 'PT0S', ${at}, 1, 'pending', 1)`;
  const scheduled = {
    type: "ReminderScheduled",
    subject: reminderId,
    sequence: 1,
    data: {
      id: reminderId,
      task_id: id,
      user_id: userId,
      rule: "PT0S",
      remind_at: at,
      snoozed_from: null,
      drop_after: null,
      generation: 1,
    },
  } as const;
  const { view } = foldView(foldView(null, created).view, scheduled as never);
  await db.transaction((tx) => saveViews(tx, [{ ...view, viewVersion: 2 }], new Map()));
  return id;
}
const told = () =>
  db.sql<{ subject: string; sequence: number }[]>`
    select subject, sequence::int as sequence from outbox where type = 'TaskChanged' order by id`;

test("views that were folded from events are as the tables say, and a view that is not is found, written anew and told", async () => {
  const [right, wrong, missing, older] = [
    await task("right"),
    await task("wrong"),
    await task("missing"),
    await task("older"),
  ];
  expect(await examineViews({ db, settleMs, signal })).toEqual({ examined: 4, differences: [] });

  await db.sql`update task_views set folded = jsonb_set(folded, '{fields,title,value}', '"spoilt"') where task_id = ${wrong}`;
  await db.sql`delete from task_views where task_id = ${missing}`;
  await db.sql`update tasks set title = 'newer', version = 2, updated_at = ${new Date(at.getTime() + 1000)} where id = ${older}`;
  const { differences } = await examineViews({ db, settleMs, signal });
  expect(new Map(differences.map(({ taskId, ...of }) => [taskId, of]))).toMatchObject(
    new Map([
      [wrong, { isMissing: false, isBehind: false, fields: [{ name: "title", is: "spoilt", should: "wrong" }] }],
      [older, { isMissing: false, isBehind: true }],
      [missing, { isMissing: true }],
    ]) as never,
  );
  const shown = await world.ops("rebuild", "views", "--settle-seconds", "0");
  expect(shown.out).toContain("3 of 4 views differ from the tables; --apply writes them anew");
  expect(await told()).toHaveLength(0);

  const applied = await world.ops("rebuild", "views", "--apply", "--settle-seconds", "0", "--reason", "spoilt");
  expect([applied.code, applied.err]).toEqual([0, ""]);
  expect(applied.out).toContain("3 were written anew and told");
  expect(await examineViews({ db, settleMs, signal })).toEqual({ examined: 4, differences: [] });
  expect(new Map((await told()).map(({ subject, sequence }) => [subject, sequence]))).toEqual(
    new Map([
      [wrong, 3],
      [older, 3],
      [missing, 1],
    ]),
  );
  expect((await world.audited()).at(-1)).toMatchObject({ action: "rebuild views", state: "done", reason: "spoilt" });
  expect((await db.transaction((tx) => loadViews(tx, [right]))).get(right)?.viewVersion).toBe(2);
});

test("what is folded while a view is written anew is not lost, and the event it was made of changes nothing afterwards", async () => {
  const id = await task("first");
  const at2 = new Date(at.getTime() + 2000);
  await db.sql`update tasks set title = 'second', version = 2, updated_at = ${at2} where id = ${id}`;
  await db.sql`update task_views set folded = jsonb_set(folded, '{fields,description,value}', '"spoilt"') where task_id = ${id}`;
  const update = (title: string, version: number) =>
    ({
      type: "TaskUpdated",
      subject: id,
      sequence: version,
      data: { id, user_id: userId, updated_fields: { title }, timestamp: new Date(at.getTime() + version * 1000) },
    }) as const;
  const fold = (event: ReturnType<typeof update>) =>
    db.transaction(async (tx) => {
      const loaded = await loadViews(tx, [id]);
      const { view, change } = foldView(loaded.get(id) ?? null, event);
      if (change !== "silent") await saveViews(tx, [{ ...view, viewVersion: view.viewVersion + 1 }], loaded);
      return change;
    });
  // The broadcaster has the row, and folds a change that is made while the view waits to be written anew.
  const goOn = Promise.withResolvers<void>();
  const isIn = Promise.withResolvers<void>();
  const folding = db.transaction(async (tx) => {
    const loaded = await loadViews(tx, [id]);
    isIn.resolve();
    await goOn.promise;
    const { view } = foldView(loaded.get(id) ?? null, update("third", 3));
    await saveViews(tx, [{ ...view, viewVersion: view.viewVersion + 1 }], loaded);
  });
  await isIn.promise;
  const mending = mendViews({ db, codec, now: () => at, correlationId: "c", signal }, [id]);
  await until("it waits for the row", async () => {
    const waiting = await db.sql`
      select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`;
    return waiting.length > 0;
  });
  const at3 = new Date(at.getTime() + 3000);
  await db.sql`update tasks set title = 'third', version = 3, updated_at = ${at3} where id = ${id}`;
  goOn.resolve();
  await folding;
  expect(await mending).toEqual([id]);
  const view = (await db.transaction((tx) => loadViews(tx, [id]))).get(id);
  const value = (name: string) => view?.folded?.fields[name]?.value;
  expect([view?.folded?.version, value("title"), value("description"), view?.viewVersion]).toEqual([
    3,
    "third",
    "said",
    4,
  ]);
  expect(await fold(update("third", 3))).toBe("silent");
  expect(await fold(update("fourth", 4))).toBe("updated");
});
