import { describe, expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { Message, ReceivedMessage } from "../../../shared/messages/message.ts";
import type { MessageOf, MessageType } from "../../../shared/messages/message.ts";
import { foldBatch } from "../../../workers/task-update-broadcaster/fold-batch.ts";
import type { View } from "../../../workers/task-update-broadcaster/fold-view.ts";
import { taskCreated } from "../../support/task-created.ts";

const ada = "0192f0a0-0000-7000-8000-00000000000a";
const bob = "0192f0a0-0000-7000-8000-00000000000b";
const milk = "0192f0a0-0000-7000-8000-000000000001";
const bread = "0192f0a0-0000-7000-8000-000000000002";
const bell = "0192f0a0-0000-7000-8000-0000000000f1";
const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 9, minute));

function received<T extends MessageType>(
  message: Pick<MessageOf<T>, "type" | "subject" | "data"> & { sequence: number },
) {
  return {
    ...message,
    key: message.subject,
    id: `${message.type} ${message.subject} ${message.sequence}`,
    time: at(message.sequence),
    source: "task-service",
    correlationId: "c",
    causationId: null,
    traceparent: null,
    topic: "task-events",
    partition: 0,
    offset: 0n,
    timestamp: 0,
    value: new Uint8Array(),
    headers: [],
  } as unknown as ReceivedMessage;
}
const created = (id: string, user_id = ada, sequence = 1) =>
  received<"TaskCreated">({
    type: "TaskCreated",
    subject: id,
    sequence,
    data: taskCreated({
      id,
      user_id,
      title: "Buy",
      created_at: at(sequence),
    }),
  });
const updated = (id: string, sequence: number, title: string, user_id = ada) =>
  received<"TaskUpdated">({
    type: "TaskUpdated",
    subject: id,
    sequence,
    data: { id, user_id, updated_fields: { title }, timestamp: at(sequence) },
  });
const completed = (id: string, sequence: number) =>
  received<"TaskCompleted">({
    type: "TaskCompleted",
    subject: id,
    sequence,
    data: { id, user_id: ada, completed_at: at(sequence) },
  });
const deleted = (id: string, sequence: number) =>
  received<"TaskDeleted">({
    type: "TaskDeleted",
    subject: id,
    sequence,
    data: { id, user_id: ada, deleted_at: at(sequence) },
  });
const scheduled = (task_id: string, sequence: number, minute: number, user_id = ada) =>
  received<"ReminderScheduled">({
    type: "ReminderScheduled",
    subject: bell,
    sequence,
    data: {
      id: bell,
      task_id,
      user_id,
      remind_at: at(minute),
      status: "pending",
      generation: sequence,
      rule: null,
      snoozed_from: null,
      drop_after: null,
    },
  });
const triggered = (task_id: string, sequence: number) =>
  received<"ReminderTriggered">({
    type: "ReminderTriggered",
    subject: bell,
    sequence,
    data: {
      id: bell,
      task_id,
      user_id: ada,
      triggered_at: at(sequence),
      generation: sequence,
      remind_at: null,
      title: null,
      rule: null,
      priority: null,
    },
  });

const kinds = (answers: readonly (readonly Message[])[]) =>
  answers.map((messages) =>
    messages.map((message) => (message.type === "TaskChanged" ? message.data.change_type : message.type)).join(),
  );
const payloads = (answers: readonly (readonly Message[])[]) =>
  answers.flat().map((message) => JSON.parse(message.type === "TaskChanged" ? message.data.payload : "null"));
const fold = (messages: readonly ReceivedMessage[], views: ReadonlyMap<string, View> = new Map()) =>
  foldBatch(messages, views);
const viewsOf = ({ changed }: { changed: readonly View[] }) => new Map(changed.map((view) => [view.taskId, view]));

test("of very many reminders a view keeps those that wait, and of what is over the newest, fired before dismissed", () => {
  const one = (event: ReceivedMessage, id: string): ReceivedMessage =>
    ({ ...event, subject: id, id: `${event.id} ${id}`, data: { ...event.data, id } }) as ReceivedMessage;
  const id = (kind: number, n: number) => `0192f0a0-0000-7000-8000-${String(kind * 1_000 + n).padStart(12, "0")}`;
  const dismissed = (sequence: number) =>
    received<"ReminderDismissed">({
      type: "ReminderDismissed",
      subject: bell,
      sequence,
      data: { id: bell, task_id: milk, user_id: ada, dismissed_at: at(sequence), generation: 1, reason: "user" },
    });
  const numbers = (count: number) => Array.from({ length: count }, (_, n) => n);
  const { answers, changed } = fold([
    created(milk),
    ...numbers(20).map((n) => one(scheduled(milk, 2, 600), id(1, n))),
    ...numbers(30).flatMap((n) => [one(scheduled(milk, 2, n), id(2, n)), one(triggered(milk, 3 + n), id(2, n))]),
    ...numbers(200).flatMap((n) => [one(scheduled(milk, 2, 1_000 + n), id(3, n)), one(dismissed(3 + n), id(3, n))]),
  ]);
  const kept = Object.keys(changed[0]?.reminders ?? {});
  expect(kept.toSorted()).toEqual(
    [
      ...numbers(20).map((n) => id(1, n)),
      ...numbers(30).map((n) => id(2, n)),
      ...numbers(50).map((n) => id(3, 150 + n)),
    ].toSorted(),
  );
  const shown = payloads(answers).at(-1).reminders as readonly { status: string }[];
  expect(shown.filter(({ status }) => status === "pending")).toHaveLength(20);
});

test("a reminder in a view says its rule and what it was snoozed from; events of an older build, which say neither, fold to null", () => {
  const told = scheduled(milk, 2, 40);
  const snoozed = { ...told, data: { ...told.data, rule: "PT15M", snoozed_from: at(30) } } as typeof told;
  const bellOf = (...events: readonly ReceivedMessage[]) =>
    payloads(fold([created(milk), ...events]).answers).at(-1)?.reminders;
  expect(bellOf(snoozed)).toMatchObject([{ rule: "PT15M", snoozed_from: at(30).toISOString() }]);
  expect(bellOf(scheduled(milk, 1, 30))).toMatchObject([{ rule: null, snoozed_from: null }]);
  // What fired keeps both, whichever of the two comes first; the next time it is set neither is left over.
  const fired = triggered(milk, 3);
  for (const events of [
    [snoozed, fired],
    [fired, snoozed],
  ])
    expect(bellOf(...events)).toMatchObject([
      { status: "triggered", rule: "PT15M", snoozed_from: at(30).toISOString() },
    ]);
  expect(bellOf(snoozed, scheduled(milk, 4, 50))).toMatchObject([{ rule: null, snoozed_from: null, version: 4 }]);
});

const dismissed = (task_id: string, sequence: number) =>
  received<"ReminderDismissed">({
    type: "ReminderDismissed",
    subject: bell,
    sequence,
    data: { id: bell, task_id, user_id: ada, dismissed_at: at(sequence), generation: null, reason: "deleted" },
  });

describe("what is told", () => {
  test("one answer per message, the key the user, the sequence the view's version", () => {
    const { answers } = fold([created(milk), created(bread), completed(milk, 2)]);
    expect(kinds(answers)).toEqual(["created", "created", "completed"]);
    expect(answers.flat().map(({ key, subject, sequence }) => [key, subject, sequence])).toEqual([
      [ada, milk, 1],
      [ada, bread, 1],
      [ada, milk, 2],
    ]);
  });

  test("neighbouring updates of a task become one, other tasks between them or not", () => {
    const { answers } = fold([
      created(milk),
      updated(milk, 2, "a"),
      created(bread),
      updated(milk, 3, "b"),
      scheduled(milk, 1, 40),
    ]);
    expect(kinds(answers)).toEqual(["created", "", "created", "", "updated"]);
    expect(payloads(answers).at(-1)).toMatchObject({ title: "b", version: 3, reminders: [{ id: bell, version: 1 }] });
  });

  test("created, completed and deleted are never merged away, and updates are not merged across them", () => {
    const { answers } = fold([
      created(milk),
      updated(milk, 2, "a"),
      completed(milk, 3),
      updated(milk, 4, "b"),
      updated(milk, 5, "c"),
      deleted(milk, 6),
    ]);
    expect(kinds(answers)).toEqual(["created", "updated", "completed", "", "updated", "deleted"]);
  });

  test("whatever comes after a deletion is told as deleted, its reminders too, and piled up it is told once", () => {
    const first = fold([created(milk), scheduled(milk, 1, 40), deleted(milk, 2), dismissed(milk, 2)]);
    expect(kinds(first.answers)).toEqual(["created", "updated", "", "deleted"]);
    const later = fold([triggered(milk, 3)], viewsOf(first));
    expect(kinds(later.answers)).toEqual(["deleted"]);
    expect(payloads(later.answers)).toMatchObject([{ deleted_at: at(2).toISOString(), view_version: 5 }]);
  });

  test("restored, it is told as updated and whole, also where its deletion is told in the same batch", () => {
    const event = { type: "TaskUpdated", subject: milk, sequence: 3 } as const;
    const data = { id: milk, user_id: ada, updated_fields: { deleted_at: null }, timestamp: at(3) };
    const { answers } = fold([created(milk), deleted(milk, 2), received<"TaskUpdated">({ ...event, data })]);
    expect(kinds(answers)).toEqual(["created", "deleted", "updated"]);
    expect(payloads(answers.slice(-1))).toMatchObject([{ title: "Buy", deleted_at: null, status: "open", version: 3 }]);
  });

  test("duplicates tell nothing and change no view", () => {
    const first = fold([created(milk), updated(milk, 2, "a"), scheduled(milk, 1, 40)]);
    const again = fold([created(milk), updated(milk, 2, "a"), scheduled(milk, 1, 40)], viewsOf(first));
    expect(kinds(again.answers)).toEqual(["", "", ""]);
    expect(again.changed).toEqual([]);
  });

  test("a reminder of a task not yet known is kept silently and shown when the task comes", () => {
    const placeholder = fold([scheduled(milk, 1, 40)]);
    expect(kinds(placeholder.answers)).toEqual([""]);
    expect(placeholder.changed).toMatchObject([{ taskId: milk, folded: null, viewVersion: 0 }]);
    const { answers } = fold([created(milk)], viewsOf(placeholder));
    expect(payloads(answers)).toMatchObject([
      { view_version: 1, reminders: [{ id: bell, status: "pending", remind_at: at(40).toISOString(), version: 1 }] },
    ]);
  });

  test("a task whose creation has not come yet is not shown with holes", () => {
    const early = fold([updated(milk, 2, "new"), completed(milk, 3)]);
    expect(kinds(early.answers)).toEqual(["", ""]);
    const late = fold([created(milk)], viewsOf(early));
    expect(kinds(late.answers)).toEqual(["created"]);
    expect(payloads(late.answers)).toMatchObject([{ title: "new", status: "completed", version: 3 }]);
  });

  test("a completion that was overtaken by a reopening is an update at most", () => {
    const reopened = received<"TaskUpdated">({
      type: "TaskUpdated",
      subject: milk,
      sequence: 3,
      data: { id: milk, user_id: ada, updated_fields: { status: "open", completed_at: null }, timestamp: at(3) },
    });
    const { answers } = fold([created(milk), reopened, completed(milk, 2)]);
    expect(kinds(answers)).toEqual(["created", "updated", ""]);
  });

  test("a triggered reminder that overtook its scheduling stays triggered", () => {
    const { answers } = fold([created(milk), triggered(milk, 2), scheduled(milk, 1, 40)]);
    expect(payloads(answers).at(-1)).toMatchObject({
      reminders: [{ status: "triggered", remind_at: at(40).toISOString(), version: 2 }],
    });
  });
});

describe("users", () => {
  test("nothing of another user is merged", () => {
    const { answers, foreign, changed } = fold([
      created(milk),
      updated(milk, 2, "stolen", bob),
      scheduled(milk, 1, 40, bob),
    ]);
    expect(kinds(answers)).toEqual(["created", "", ""]);
    expect(foreign).toHaveLength(2);
    expect(JSON.stringify(changed)).not.toContain(bob);
  });

  test("a reminder that named another user before the task came is never shown", () => {
    const placeholder = fold([scheduled(milk, 1, 40, bob)]);
    const { answers } = fold([created(milk)], viewsOf(placeholder));
    expect(answers.flat()).toMatchObject([{ key: ada, data: { user_id: ada } }]);
    expect(payloads(answers)).toMatchObject([{ user_id: ada, reminders: [] }]);
  });
});

describe("the law", () => {
  const pool = [
    created(milk),
    updated(milk, 2, "a"),
    completed(milk, 3),
    updated(milk, 4, "b"),
    deleted(milk, 5),
    scheduled(milk, 1, 40),
    triggered(milk, 2),
    scheduled(milk, 3, 50),
  ];

  test("any order, any repetition and any cutting into batches ends in one view, and its version only rises", () => {
    const whole = payloads(fold(pool).answers).at(-1);
    fc.assert(
      fc.property(
        fc.shuffledSubarray([...pool.keys(), ...pool.keys()], { minLength: 16, maxLength: 16 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 16, maxLength: 16 }),
        (order, cuts) => {
          let views: ReadonlyMap<string, View> = new Map();
          const told: Message[] = [];
          for (let at = 0, cut = 0; at < order.length; at += cuts[cut++] ?? 1) {
            const part = order.slice(at, at + (cuts[cut] ?? 1)).flatMap((index) => pool[index] ?? []);
            const batch = fold(part, views);
            views = new Map([...views, ...viewsOf(batch)]);
            told.push(...batch.answers.flat());
          }
          const versions = told.map(({ sequence }) => sequence ?? 0);
          expect(versions).toEqual(versions.toSorted((a, b) => a - b));
          expect(new Set(versions).size).toBe(versions.length);
          const last = payloads([told]).at(-1);
          expect({ ...last, view_version: 0 }).toEqual({ ...whole, view_version: 0 });
          expect(last.view_version).toBe(views.get(milk)?.viewVersion);
          // Who goes by the kind alone ends where who looks at the view does.
          const isDeleted = payloads([told]).map(({ deleted_at }) => deleted_at !== null);
          expect(kinds(told.map((one) => [one])).map((kind) => kind === "deleted")).toEqual(isDeleted);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("after the database went back in time views are told above every version that may have been told, new ones too", () => {
  const known = foldBatch([created(milk)], new Map()).changed[0];
  const { answers } = foldBatch(
    [updated(milk, 2, "Sell"), created(bread)],
    new Map([[milk, known as View]]),
    1_000_000_000,
  );
  expect(answers.flat().map(({ sequence }) => sequence)).toEqual([1_000_000_001, 1_000_000_001]);
});
