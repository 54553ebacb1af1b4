import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { kafkaHeaders } from "../../shared/outbox/envelope.ts";
import { insertOutbox, outboxRow } from "../../shared/outbox/outbox.ts";
import type { Message } from "../../shared/messages/message.ts";
import { rehearse } from "../../shared/consume/replay/rehearse.ts";
import { makeBroadcastChanges } from "../../workers/task-update-broadcaster/broadcast-changes.ts";
import { operatorWorld } from "../support/operator-world.ts";
import { taskCreated } from "../support/task-created.ts";

setDefaultTimeout(180_000);
const world = await operatorWorld();
afterAll(() => world[Symbol.asyncDispose](), 30_000);

const at = new Date(Date.now() - 60_000);
const [userId, taskId, reminderId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
const created: Message = {
  type: "TaskCreated",
  key: taskId,
  subject: taskId,
  sequence: 1,
  data: taskCreated({
    id: taskId,
    user_id: userId,
    title: "Milk",
    created_at: at,
    priority: "Medium",
  }),
};
const triggered: Message = {
  type: "ReminderTriggered",
  key: taskId,
  subject: reminderId,
  sequence: 2,
  data: {
    id: reminderId,
    task_id: taskId,
    user_id: userId,
    triggered_at: at,
    generation: 1,
    remind_at: at,
    title: "Milk",
    rule: null,
    priority: null,
  },
};

const everything = new Map(
  (["task-events", "reminders"] as const).map((topic) => [topic, new Map([0, 1, 2, 3, 4, 5].map((n) => [n, 0n]))]),
);
/** What `ops replay task-update-broadcaster` runs, without the process. */
const rehearseViews = () =>
  rehearse({
    ...world,
    group: "task-update-broadcaster",
    handle: makeBroadcastChanges({ countForeign: () => {} }),
    from: everything,
    limit: 1000,
    now: () => at,
    signal: new AbortController().signal,
  });

/** As the relay publishes it, and the row it leaves. */
async function publish(message: Message): Promise<string> {
  const row = outboxRow(world.codec, message, { source: "task-service", correlationId: "c", now: at });
  await insertOutbox(world.db.sql, [row]);
  await world.db.sql`update outbox set published_at = clock_timestamp() where message_id = ${row.messageId}`;
  await using producer = await world.broker.producer();
  const headers = kafkaHeaders(JSON.parse(row.headers), message.sequence);
  await producer.send([{ topic: row.topic, timestamp: at.getTime(), key: row.key, value: row.value, headers }]);
  return row.messageId;
}

/** Every row of every table, but for what sequences have given. */
async function contents(): Promise<Readonly<Record<string, string>>> {
  const tables = await world.db.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1`;
  const found: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await world.db.sql.unsafe<{ digest: string }[]>(
      `select count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as digest from ${name} t`,
    );
    found[name] = row?.digest ?? "";
  }
  return found;
}

test("a replay tells what a group would publish and change, and leaves nothing behind, in the database or in Kafka", async () => {
  const id = await publish(created);
  await publish(triggered);
  const ends = async () => {
    const topics = await world.broker.admin.topics();
    return Promise.all(topics.map(async ({ name }) => [name, [...(await world.broker.admin.offsets(name, "end"))]]));
  };
  const [before, logs] = [await contents(), await ends()];

  const views = await rehearseViews();
  expect(views).toMatchObject({ messages: 2, isCut: false, unreadable: 0, failures: [] });
  expect(views.read).toContainEqual({ type: "TaskCreated", messages: 1, done: 0, parked: 0, dead: 0, unseen: 1 });
  expect(views.published).toEqual([{ type: "TaskChanged", before: 0, again: 0, first: 2 }]);
  expect(views.rows).toContainEqual({ table: "task_views", inserted: 1, updated: 0, deleted: 0 });
  const told = await world.ops("replay", "notification-service", "--from", "1h");
  expect([told.code, told.err]).toEqual([0, ""]);
  expect(told.out).toContain("all of it undone");

  expect(await contents()).toEqual(before);
  expect(await ends()).toEqual(logs);

  // What the group had is told apart from what it never had.
  const epoch = await world.db.sql<{ epoch: number }[]>`
    insert into consumer_groups (name) values ('task-update-broadcaster') returning epoch`;
  await world.db
    .sql`insert into inbox (epoch, message_id, time, fate) values (${epoch[0]?.epoch ?? 0}, ${id}, ${at}, 'done')`;
  const again = await rehearseViews();
  expect(again.read).toContainEqual({ type: "TaskCreated", messages: 1, done: 1, parked: 0, dead: 0, unseen: 0 });
});

test("a message the handler fails on is named, and the others are handled", async () => {
  await world.db.sql.unsafe(`
    create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no views today'; end $$;
    create trigger refuse before insert on task_views for each row execute function refuse();`);
  const { failures } = await rehearseViews();
  expect(failures).toContainEqual(expect.objectContaining({ error: "no views today" }));
});

test.each([
  [["replay"], /say one group/],
  [["replay", "nobody", "--from", "1h"], /no group "nobody"/],
  [["replay", "task-service"], /say --from/],
])("a replay that is not understood is refused: %p", async (args, said) => {
  expect((await world.ops(...args)).err).toMatch(said);
});
