import { expect, test } from "bun:test";
import * as fc from "../../support/fast-check.ts";
import type { Message } from "../../../shared/messages/message.ts";
import type { TaskCreated } from "../../../shared/messages/records.ts";
import { kafkaHeaders, writeEnvelope } from "../../../shared/outbox/envelope.ts";
import { isPlainCreation, traitsOf } from "../../../shared/tasks/task-traits.ts";
import type { TaskEvent } from "../../../shared/tasks/task-event.ts";
import {
  completed,
  created,
  daily,
  deleted,
  hear,
  nothing,
  occurrence,
  template,
  updated,
  wed,
} from "../recurring-task-worker/series-world.ts";

const traits = (over: Partial<TaskCreated>) => traitsOf(created(1, "11-23T10:00", null, over) as Message);

test.each<[string, Partial<TaskCreated>, string]>([
  ["a title alone", { description: "with lemon", priority: "High", tags: ["a"], remind: ["PT1H"] }, "none"],
  ["a due time", { due_date: new Date() }, "due"],
  ["a day", { due_on: "2026-11-24" }, "due"],
  ["a zone alone", { due_tz: "Europe/Berlin" }, "due"],
  ["a pattern", { is_recurring_template: true, recurrence_pattern: "{}" }, "template"],
  ["a template", { template_id: template, recurrence_id: wed, due_date: new Date() }, "due occurrence"],
])("a new task with %s", (_, over, words) => {
  expect(traits(over)).toBe(words);
});

test("other messages have none", () => {
  expect(traitsOf(completed(2, "11-23T11:00", template) as Message)).toBeNull();
});

test("a record is a plain creation if its headers say so, and not if they say nothing", () => {
  const headersOf = (type: string, said: string | null) =>
    kafkaHeaders(
      writeEnvelope({
        id: crypto.randomUUID(),
        time: new Date(),
        source: "task-service",
        type,
        subject: template,
        contentType: "application/vnd.confluent.avro",
        correlationId: "c",
        causationId: null,
        traceparent: null,
        traits: said,
      }),
      1,
    );
  expect(isPlainCreation(headersOf("TaskCreated", "none"))).toBe(true);
  expect(isPlainCreation(headersOf("TaskCreated", "due"))).toBe(false);
  expect(isPlainCreation(headersOf("TaskCreated", null))).toBe(false);
  expect(isPlainCreation(headersOf("TaskUpdated", "none"))).toBe(false);
});

test("a series, and what it asks for, is the same whether a plain creation is heard of or not, whatever becomes of the task", () => {
  const change = fc.constantFrom<Parameters<typeof updated>[2]>(
    { is_recurring_template: true, recurrence_pattern: JSON.stringify(daily) },
    { is_recurring_template: true, recurrence_pattern: JSON.stringify({ ...daily, anchor: "completion" }) },
    { is_recurring_template: false, recurrence_pattern: null },
    { due_date: "2026-11-25T09:00:00.000Z", due_tz: "Europe/Berlin" },
    { due_on: "2026-11-26" },
    { status: "open", completed_at: null },
    { title: "another" },
  );
  const step = fc.oneof(
    { weight: 5, arbitrary: change.map((fields) => (version: number, at: string) => updated(version, at, fields)) },
    fc.constant((version: number, at: string) => completed(version, at, template)),
    fc.constant((version: number, at: string) => deleted(version, at)),
    fc.constant((version: number, at: string) => completed(version, at, occurrence(wed))),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const plain = created(1, "11-23T10:00", null);
      expect(traitsOf(plain as Message)).toBe("none");
      const later: readonly TaskEvent[] = steps.map((make, n) => make(n + 2, `11-23T11:${String(10 + n)}`));
      const worlds = [[plain, ...later], later].map((events) => hear(nothing).events(...events));
      const [all, without] = worlds.map((heard) => ({
        asked: heard.asked(),
        removed: heard.removed(),
        ended: heard.ended(),
        series: [...heard.world().series.values()],
      }));
      expect(without).toEqual(all);
    }),
    { numRuns: 300 },
  );
});
