import { afterAll, beforeAll, expect, test } from "bun:test";
import { kafkaSettings, openBroker } from "../../shared/kafka/kafka-broker.ts";
import { readConfig } from "../../shared/role/config.ts";
import { makeLog } from "../../shared/role/log.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import { consumerGroups, deadLetterTopics, groupNames, topicNames, topics } from "../../shared/messages/topics.ts";
import { openStream, signIn, type Client, type Json } from "../support/client.ts";
import { readTopic, type Read } from "../support/read-topic.ts";
import { settled } from "../support/settled.ts";
import { stack } from "../support/stack.ts";
import { startSystem, type System } from "../support/system.ts";
import { until } from "../support/until.ts";
import { watchHandling, type Watched } from "../support/watch-handling.ts";

const broadcaster = "task-update-broadcaster";
let system: System;
let gateway: string;
let handling: Watched;
beforeAll(async () => {
  system = await startSystem();
  gateway = system.url("ui-gateway");
  handling = await watchHandling(system.env["DATABASE_URL"] ?? "");
}, 150_000);
afterAll(async () => {
  await handling?.[Symbol.asyncDispose]();
  await system?.[Symbol.asyncDispose]();
}, 30_000);

const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1_000).toISOString();
const localSeconds = (seconds: number) => inSeconds(seconds).slice(0, 19);

/** A request under a correlation id of its own, which says what was asked. */
const asked = (user: Client, name: string) => (method: string, path: string, body?: unknown) =>
  user.must(method, path, body, { "x-correlation-id": name });

type Told = Readonly<{ topic: string; headers: Readonly<Record<string, string>> }> & Read;
const readAll = async (names: readonly string[]): Promise<readonly Told[]> => {
  const all: Told[] = [];
  for (const topic of names)
    for (const read of await readTopic(system.env, topic)) {
      const headers = read.record.headers.map(([name, value]) => [name, Buffer.from(value).toString()]);
      all.push({ topic, headers: Object.fromEntries(headers), ...read });
    }
  return all;
};
const chainOf = (all: readonly Told[], correlationId: string) =>
  all.filter(({ envelope }) => envelope.correlationId === correlationId).map(({ envelope }) => envelope.type);

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("every record of every topic has the headers of the table, and belongs to the request at its root, through timers too", async () => {
  const ada = await signIn(gateway, "ada");
  const due = inSeconds(20);
  const task = await asked(ada, "due-task")("POST", "/v1/tasks", { title: "Due soon", due_date: due });
  const own = await asked(ada, "own-reminder")("POST", `/v1/tasks/${task.id}/reminders`, { remind_at: inSeconds(15) });
  const snoozed = await asked(ada, "to-snooze")("POST", `/v1/tasks/${task.id}/reminders`, { remind_at: inSeconds(15) });
  expect(snoozed.id).not.toBe(own.id);
  await asked(ada, "snooze")("POST", `/v1/reminders/${snoozed.id}/snooze`, { until: inSeconds(22) });
  await asked(ada, "series")("POST", "/v1/tasks", {
    title: "Daily",
    recurrence_pattern: { rrule: "FREQ=DAILY", tz: "UTC", start: localSeconds(15), max_open: 3 },
  });
  const ended = await asked(ada, "short-series")("POST", "/v1/tasks", {
    title: "Once",
    recurrence_pattern: { rrule: "FREQ=DAILY;COUNT=1", tz: "UTC", start: "2099-01-01T09:00" },
  });
  const first = (ended["first_occurrence"] as Json).id;
  await asked(ada, "complete")("POST", `/v1/tasks/${first}/complete`);
  await asked(ada, "reopen")("POST", `/v1/tasks/${first}/reopen`);
  await asked(ada, "all-day")("POST", "/v1/tasks", { title: "Some day", due_on: "2099-05-05" });
  await settled(system);
  await asked(ada, "preferences")("PUT", "/v1/preferences", { tz: "Asia/Kolkata", all_day_at: "07:00" });
  await asked(ada, "edit")("PATCH", `/v1/tasks/${task.id}`, { title: "Due very soon", priority: "High" });
  await asked(ada, "delete")("DELETE", `/v1/tasks/${ended.id}`);

  const doomed = await asked(ada, "doomed")("POST", "/v1/tasks", { title: "Doomed" });
  await settled(system);
  await handling.fail({ taskId: doomed.id, contains: "poisonous", sqlstate: "23514" });
  await asked(ada, "poison")("PATCH", `/v1/tasks/${doomed.id}`, { title: "poisonous" });
  await until("the dead letter", async () => (await readTopic(system.env, `${broadcaster}-dlq`)).length > 0);
  await handling.heal();
  await system.ops("dlq", "redrive", "--group", broadcaster, "--key", doomed.id);

  const timersFired = async () => {
    const all = await readAll(topicNames);
    const fired = (name: string) => chainOf(all, name).includes("ReminderTriggered");
    const made = chainOf(all, "series").filter((type) => type === "CreateOccurrence").length >= 2;
    return fired("due-task") && fired("own-reminder") && fired("snooze") && made && all;
  };
  await until("all timers have fired in the chains that armed them", timersFired, { timeoutMs: 60_000 });
  await settled(system);
  const all = await readAll(topicNames);

  const ids = new Map(all.map((told) => [told.envelope.id, told]));
  const requests =
    "due-task own-reminder to-snooze snooze series short-series complete reopen all-day preferences edit delete doomed poison";
  const roots = new Set(requests.split(" "));
  for (const { topic, headers, record, envelope } of all) {
    const spec = topics[topic as keyof typeof topics];
    const where = `${envelope.type} at ${topic}/${record.partition}/${record.offset}`;
    expect<object>({ where, ...headers }).toEqual({
      where,
      ce_specversion: "1.0",
      ce_id: expect.stringMatching(uuid),
      ce_type: envelope.type,
      ce_source: spec.writer,
      ce_subject: expect.stringMatching(uuid),
      ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      ce_sequence: expect.stringMatching(/^[1-9]\d*$/),
      ce_outbox: expect.stringMatching(/^\d+\.\d{8}\.\d+\.\d+$/),
      "content-type": "application/vnd.confluent.avro",
      ce_correlationid: expect.any(String),
      traceparent: expect.stringMatching(/^00-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/),
      ...(envelope.type === "TaskCreated"
        ? { ce_traits: expect.stringMatching(/^(none|(due|template|occurrence)( (template|occurrence))*)$/) }
        : {}),
      ...(envelope.causationId === null ? {} : { ce_causationid: expect.stringMatching(uuid) }),
    });
    expect({ where, known: spec.records.some((type) => type === envelope.type) }).toEqual({ where, known: true });
    expect({ where, root: roots.has(envelope.correlationId) ? "known" : envelope.correlationId }).toEqual({
      where,
      root: "known",
    });
    if (envelope.causationId === null) continue;
    const cause = ids.get(envelope.causationId)?.envelope;
    const { correlationId, traceparent } = envelope;
    expect({ where, cause: cause?.type, correlationId, traceparent }).toEqual({
      where,
      cause: cause?.type ?? "a record of a topic",
      correlationId: cause?.correlationId ?? "",
      traceparent: cause?.traceparent ?? null,
    });
  }
  // What begins a chain was written for a request; everything else names what it came from.
  const begins = all.filter(({ envelope }) => envelope.causationId === null).map(({ envelope }) => envelope);
  expect(new Set(begins.map(({ type }) => type))).toEqual(
    new Set([
      "TaskCreated",
      "TaskUpdated",
      "TaskCompleted",
      "TaskDeleted",
      "ReminderScheduled",
      "ReminderDismissed",
      "SetTaskReminders",
    ]),
  );
  expect(begins.filter(({ type }) => type === "SetTaskReminders").map(({ correlationId }) => correlationId)).toEqual([
    ...new Set(["preferences"]),
  ]);
  expect(chainOf(all, "due-task")).toContain("ReminderTriggered");
  expect(chainOf(all, "poison")).toContain("TaskChanged");

  for (const { headers, envelope } of await readAll(deadLetterTopics))
    expect(headers).toMatchObject({
      ce_correlationid: "poison",
      ce_type: envelope.type,
      traceparent: expect.any(String),
      "x-original-topic": "task-events",
      "x-group": broadcaster,
    });
}, 240_000);

test("a new type of event in any topic passes every consumer: counted, no dead letter, nothing parked, order kept", async () => {
  const ben = await signIn(gateway, "ben");
  using stream = await openStream(gateway, ben);
  const task = await ben.must("POST", "/v1/tasks", { title: "One", due_date: inSeconds(3_600) });
  await settled(system);
  const before = await skippedByGroup();
  await using broker = await openBroker(readConfig(kafkaSettings, system.env), {
    clientId: "test",
    log: makeLog({}, "error"),
  });
  await using producer = await broker.producer();
  const registry = openRegistry({ url: stack().schemaRegistryUrl, user: null, password: null, timeoutMs: 5_000 });
  for (const topic of ["task-events", "reminders", "task-updates"] as const) {
    const schema = {
      type: "record",
      name: "ThingNoticed",
      namespace: `taskwire.${topic.replaceAll("-", "_")}.later`,
      fields: [
        { name: "user_id", type: "string" },
        { name: "how", type: { type: "map", values: "bytes" }, default: {} },
      ],
    };
    const { id } = await registry.register(`${topic}-${schema.namespace}.ThingNoticed`, JSON.stringify(schema));
    const key = topic === "task-updates" ? ben.userId : task.id;
    await ben.must("PATCH", `/v1/tasks/${task.id}`, { title: `Before it in ${topic}` });
    await settled(system);
    const [template] = (await readTopic(system.env, topic)).filter(({ record }) => record.key === key);
    const framing = Buffer.from([0, 0, 0, 0, 0]);
    framing.writeUInt32BE(id, 1);
    const value = Buffer.concat([framing, Buffer.from([2, "x".charCodeAt(0), 0])]);
    const headers = (template?.record.headers ?? []).map(([name, was]) => {
      const own = { ce_type: "ThingNoticed", ce_id: Bun.randomUUIDv7() }[name];
      return [name, own === undefined ? was : Buffer.from(own)] as const;
    });
    await producer.send([{ topic, key, value, headers, timestamp: Date.now() }]);
    await ben.must("PATCH", `/v1/tasks/${task.id}`, { title: `After it in ${topic}` });
  }
  await settled(system);
  await stream.waitFor("the last title", ({ data }) => data?.payload?.["title"] === "After it in task-updates");

  const versions = stream
    .changes()
    .filter(({ data }) => data.task_id === task.id)
    .map(({ data }) => data.payload.version);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(stream.changes().filter(({ data }) => data.change_type === undefined)).toEqual([]);
  const after = await skippedByGroup();
  for (const group of groupNames) {
    const read = (consumerGroups[group] as readonly string[]).filter(
      (topic) => topic === "task-events" || topic === "reminders",
    );
    expect([group, (after.get(group) ?? 0) - (before.get(group) ?? 0)]).toEqual([group, read.length]);
  }
  expect(
    (await metricsOf("ui-gateway")).match(/^gateway_records_dropped_total\{[^}]*reason="unknown"[^}]*\} 1$/m),
  ).not.toBeNull();
  const letters = JSON.parse(await system.ops("dlq", "ls", "--key", task.id, "--state", "all", "--json"));
  expect(letters.deadLetters).toEqual([]);
  expect(JSON.parse(await system.ops("parked", "ls", "--json")).parked).toEqual([]);
  const shown = await ben.must("GET", `/v1/tasks/${task.id}`);
  expect(shown["title"]).toBe("After it in task-updates");
}, 240_000);

const metricsOf = async (role: Parameters<System["metricsUrl"]>[0]) =>
  (await fetch(`${system.metricsUrl(role)}/metrics`)).text();

async function skippedByGroup(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const group of groupNames) {
    const lines = (await metricsOf(group)).matchAll(
      /^consumer_messages_total\{([^}]*outcome="skipped"[^}]*)\} (\d+)$/gm,
    );
    found.set(
      group,
      [...lines].reduce((sum, [, , count]) => sum + Number(count), 0),
    );
  }
  return found;
}
