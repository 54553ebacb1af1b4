import { expect, test } from "bun:test";
import { openCodec } from "../../shared/avro/codec.ts";
import { readConfig } from "../../shared/role/config.ts";
import { kafkaHeaders } from "../../shared/outbox/envelope.ts";
import { foldTask, type FoldedTask } from "../../shared/tasks/fold-task.ts";
import type { TaskEvent } from "../../shared/tasks/task-event.ts";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { makeLog } from "../../shared/role/log.ts";
import type { Message, MessageOf } from "../../shared/messages/message.ts";
import { outboxRow } from "../../shared/outbox/outbox.ts";
import { openRegistry, registrySettings } from "../../shared/avro/registry.ts";
import { taskView } from "../../shared/tasks/task-view.ts";
import { readTopic } from "../support/read-topic.ts";
import { startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";
import { taskCreated } from "../support/task-created.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 9, 0, second));

/** The life of one task with its reminder, versions in the order they happened. */
function lifeOf(id: string, user_id: string): { task: readonly TaskEvent[]; reminders: readonly Message[] } {
  const subject = id;
  const bell = crypto.randomUUID();
  const task: readonly TaskEvent[] = [
    {
      type: "TaskCreated",
      subject,
      sequence: 1,
      data: taskCreated({
        id,
        user_id,
        title: "first",
        created_at: at(1),
        due_date: at(50),
        priority: "High",
        tags: ["a", "b"],
      }),
    },
    ...[2, 3, 4].map((sequence): TaskEvent => ({
      type: "TaskUpdated",
      subject,
      sequence,
      data: { id, user_id, updated_fields: { title: `title ${sequence}` }, timestamp: at(sequence) },
    })),
    { type: "TaskCompleted", subject, sequence: 5, data: { id, user_id, completed_at: at(5) } },
    {
      type: "TaskUpdated",
      subject,
      sequence: 6,
      data: { id, user_id, updated_fields: { status: "open", completed_at: null }, timestamp: at(6) },
    },
    { type: "TaskDeleted", subject, sequence: 7, data: { id, user_id, deleted_at: at(7) } },
  ];
  const reminder = { key: id, subject: bell } as const;
  const reminders: readonly Message[] = [
    {
      ...reminder,
      type: "ReminderScheduled",
      sequence: 1,
      data: {
        id: bell,
        task_id: id,
        user_id,
        remind_at: at(50),
        status: "pending",
        generation: 1,
        rule: null,
        snoozed_from: null,
        drop_after: null,
      },
    },
    {
      ...reminder,
      type: "ReminderDismissed",
      sequence: 2,
      data: { id: bell, task_id: id, user_id, dismissed_at: at(5), generation: 1, reason: "completed" },
    },
  ];
  return { task, reminders };
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

test("events and reminders in any order, repeated, over two instances of which one is killed, end in the views the fold gives", async () => {
  await using system = await startSystem({ roles: { "task-update-broadcaster": 2, "outbox-relay": 1 } });
  const log = makeLog({}, "error");
  const config = readConfig({ kafka: kafkaSettings, registry: registrySettings }, system.env);
  await using broker = await openBroker(config.kafka, { clientId: "broadcaster-test", log });
  const codec = await openCodec({ registry: openRegistry(config.registry), log });
  await using producer = await broker.producer();
  const outgoing = (message: Message, id: string) => {
    const source = message.type.startsWith("Task") ? "task-service" : "reminder-service";
    const row = outboxRow(codec, { ...message, id, time: new Date() }, { source, correlationId: "t", now: new Date() });
    const { topic, key, value, headers, sequence } = row;
    return { topic, timestamp: Date.now(), key, value, headers: kafkaHeaders(JSON.parse(headers), sequence) };
  };
  const [ada, bob] = [crypto.randomUUID(), crypto.randomUUID()];
  const tasks = Array.from({ length: 60 }, (_, i) => ({ id: crypto.randomUUID(), user: i % 2 ? ada : bob }));
  const lives = tasks.map(({ id, user }) => lifeOf(id, user));
  const records = lives.flatMap(({ task, reminders }) =>
    [
      ...task.map((event): Message => ({ ...event, key: event.subject }) as MessageOf<TaskEvent["type"]> as Message),
      ...reminders,
    ]
      // Each twice: once the same message again, now and then a new message that says the same.
      .flatMap((message) => {
        const id = crypto.randomUUID();
        return [outgoing(message, id), outgoing(message, Math.random() < 0.3 ? crypto.randomUUID() : id)];
      }),
  );
  const all = shuffled(records);
  const killAt = Math.floor(all.length / 2);
  for (let i = 0; i < all.length; i += 40) {
    await producer.send(all.slice(i, i + 40));
    if (i <= killAt && killAt < i + 40) await system.kill("task-update-broadcaster", 2);
  }

  const expected = new Map(
    lives.map(({ task }, i) => {
      const folded = task.reduce<FoldedTask | null>(foldTask, null);
      if (folded === null) throw new Error("no events");
      return [tasks[i]?.id ?? "", JSON.parse(JSON.stringify(taskView(folded)))] as const;
    }),
  );
  const changes = async () =>
    Promise.all(
      (await readTopic(system.env, "task-updates")).map(async ({ record, envelope }) => {
        const decoded = await codec.decode("task-updates", record.value);
        if (!("type" in decoded) || decoded.type !== "TaskChanged") throw new Error("not a TaskChanged");
        return { record, envelope, data: decoded.data, view: JSON.parse(decoded.data.payload) };
      }),
    );
  const told = await until(
    "every view as the fold gives it",
    async () => {
      const found = await changes();
      const last = new Map(found.map(({ envelope, view }) => [envelope.subject, view]));
      // What came first of a task or a reminder may have been its end: the rest of it comes with its beginning.
      const isDone = tasks.every(({ id }) => {
        const { view_version: _, reminders: [reminder] = [], ...view } = last.get(id) ?? {};
        const isWhole = reminder?.version === 2 && reminder.remind_at === at(50).toISOString();
        return isWhole && Bun.deepEquals(view, expected.get(id));
      });
      return isDone ? found : null;
    },
    { timeoutMs: 40_000, everyMs: 300 },
  );

  const last = new Map<string, { sequence: number; view: Record<string, unknown> }>();
  const kinds = new Map<string, number>();
  for (const { record, envelope, data, view } of told) {
    expect([record.key, data.user_id, view.user_id]).toEqual(
      Array(3).fill(tasks.find(({ id }) => id === envelope.subject)?.user),
    );
    const before = last.get(envelope.subject)?.sequence ?? 0;
    // The relay may publish a record again after a crash; nothing was crashed here but the broadcaster.
    expect(envelope.sequence).toBeGreaterThan(before);
    expect(view.view_version).toBe(envelope.sequence);
    expect(data.change_type === "deleted").toBe(view.deleted_at !== null);
    last.set(envelope.subject, { sequence: envelope.sequence, view });
    const kind = `${envelope.subject} ${data.change_type}`;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  for (const { id } of tasks) {
    const { view_version: _, reminders, ...view } = last.get(id)?.view ?? {};
    expect(view).toEqual(expected.get(id));
    expect(reminders).toEqual([expect.objectContaining({ status: "dismissed", remind_at: at(50).toISOString() })]);
    // A task becomes known once: as created, or as deleted when its deletion had come before its creation.
    expect(kinds.get(`${id} created`) ?? 0).toBeLessThanOrEqual(1);
    expect(kinds.get(`${id} deleted`)).toBeGreaterThanOrEqual(1);
  }
}, 90_000);
