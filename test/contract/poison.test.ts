import { noLayouts } from "../support/no-layouts.ts";
import { expect, setDefaultTimeout, test } from "bun:test";
import type { Broker, FetchedRecord } from "../../shared/messages/broker.ts";
import { openCodec } from "../../shared/avro/codec.ts";
import { consume } from "../../shared/consume/consume.ts";
import { makeLog } from "../../shared/role/log.ts";
import { makeMetrics } from "../../shared/role/metrics.ts";
import { openDb } from "../../shared/postgres/db.ts";
import { openRegistry } from "../../shared/avro/registry.ts";
import { readSchemas } from "../../shared/avro/files.ts";
import {
  consumerGroups,
  deadLetterTopic,
  groupNames,
  type GroupName,
  type TopicName,
} from "../../shared/messages/topics.ts";
import { openLeases } from "../../workers/outbox-relay/leases.ts";
import { claimSettings } from "../../workers/outbox-relay/claim.ts";
import { makeMeters } from "../../workers/outbox-relay/meters.ts";
import { relayOutbox } from "../../workers/outbox-relay/relay-outbox.ts";
import { makeWake } from "../../shared/waiting/wake.ts";
import { freshDatabase } from "../support/database.ts";
import { makeFakeBroker } from "../support/fake-broker.ts";
import { makeMalformer, readSamples, type Made } from "../support/malform.ts";
import { randomOf } from "../support/random.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { roleOf } from "../support/role-of.ts";

const isLong = process.env.LONG_TESTS === "1";
/** `POISON_SEED=7` replays a run, `POISON_COUNT` says how many malformed records each group meets. */
const seed = Number(process.env.POISON_SEED ?? 1);
const count = Number(process.env.POISON_COUNT ?? (isLong ? 10_000 : 500));
const patience = { timeoutMs: isLong ? 1_200_000 : 60_000, everyMs: 50 };
const partitions = 2;
setDefaultTimeout(patience.timeoutMs + 30_000);

for (const group of groupNames)
  test(`${group} buries what is malformed as it came, handles the rest in order and is never restarted (seed ${seed})`, async () => {
    await using world = await openWorld(group);
    const { good, malformed } = makeMalformer({ ...world, random: randomOf(seed) });
    const sent: Made[] = [good()];
    for (let turn = 0; turn < count; turn++) sent.push(malformed(turn), good());
    const placed = await world.send(sent);
    await world.settled();

    const dead = Map.groupBy(await world.deadLetters(), (letter) => textOf(letter, "x-original-place"));
    const handled = Map.groupBy(await world.handled(), (place) => place);
    const wrong: string[] = [];
    for (const { made, record, place } of placed) {
      const letters = dead.get(place) ?? [];
      const times = { dead: letters.length, handled: handled.get(place)?.length ?? 0 };
      const expected = made.fate === "good" ? [0, 1] : made.fate === "dead" ? [1, 0] : [times.dead, 1 - times.dead];
      if (times.dead !== expected[0] || times.handled !== expected[1] || times.dead > 1)
        wrong.push(`${made.kind} at ${place}: ${times.dead} dead letters, handled ${times.handled} times`);
      for (const letter of letters) wrong.push(...differences(record, letter).map((what) => `${made.kind}: ${what}`));
    }
    expect(wrong).toEqual([]);
    expect(dead.size + handled.size).toBe(sent.length);
    for (const [key, places] of Map.groupBy(await world.handled(), (place) => world.keyOf(place)))
      expect([key, ...places.map(offsetOf)]).toEqual([key, ...places.map(offsetOf).toSorted((a, b) => a - b)]);
    expect(world.joins()).toBe(1);
    expect(world.ended()).toBeNull();
  });

type Placed = Readonly<{ made: Made; record: FetchedRecord; place: string }>;

/** Postgres, the registry and the schemas for real; Kafka faked; a relay that carries dead letters to their topic. */
async function openWorld(group: GroupName) {
  await using parts = new AsyncDisposableStack();
  const database = parts.use(await freshDatabase());
  const log = makeLog({}, "error", () => {});
  const settings = { url: database.url, directUrl: null, statementMs: 30_000 };
  const db = parts.use(await openDb(settings, { role: "test", poolSize: 20, log, settings: claimSettings }));
  await db.sql`create table handled (n serial, place text not null)`;
  const registry = openRegistry({ url: stack().schemaRegistryUrl, user: null, password: null, timeoutMs: 5_000 });
  for (const { subject, current } of await readSchemas())
    await registry.register(subject, JSON.stringify(current.schema));
  const codec = await openCodec({ registry, db, log });
  const fake = parts.use(makeFakeBroker());
  const topics: readonly TopicName[] = consumerGroups[group];
  for (const name of [...topics, deadLetterTopic(group)])
    await fake.admin.createTopic({ name, partitions, configs: { "retention.ms": "604800000" } });
  const producer = await fake.producer();

  const stop = new AbortController();
  const wake = makeWake();
  const leases = parts.use(await openLeases({ db, instance: "test", log, onAcquired: wake.now }));
  const meters = makeMeters(makeMetrics("outbox-relay", { process: false }), () => 0);
  const relaying = relayOutbox({
    db,
    producer,
    instance: "test",
    leases,
    layouts: noLayouts,
    wake,
    signal: stop.signal,
    log,
    meters,
  });

  let joins = 0;
  const stamps = new Map<FetchedRecord["headers"], number>();
  const broker: Pick<Broker, "join" | "admin"> = {
    admin: fake.admin,
    join: (options) => {
      joins += 1;
      const stamp = (record: FetchedRecord) => ({
        ...record,
        timestamp: stamps.get(record.headers) ?? record.timestamp,
      });
      return fake.join({ ...options, onRecords: (records) => options.onRecords(records.map(stamp)) });
    },
  };
  const running = consume(
    {
      broker,
      db,
      codec,
      topics,
      group,
      tiersMs: [20],
      flood: { window: 0 },
      handleBatch: async (messages, { tx }) => {
        await tx`insert into handled (place) select * from unnest(${messages.map(placeOf)}::text[])`;
        return messages.map(() => []);
      },
    },
    roleOf({ name: group, signal: stop.signal, log }),
  );
  let ended: string | null = null;
  running.then(
    () => (ended = "it settled"),
    (error: unknown) => (ended = String(error)),
  );
  parts.defer(async () => {
    stop.abort();
    wake.now();
    await Promise.allSettled([running, relaying]);
  });

  const everything = (topic: string): readonly FetchedRecord[] =>
    Array.from({ length: partitions }, (_, partition) => fake.recordsOf({ topic, partition })).flat();
  const caughtUp = async () => {
    const committed = new Map(
      (await fake.admin.committed(group)).map((at) => [`${at.topic}/${at.partition}`, at.offset]),
    );
    for (const topic of topics)
      for (const [partition, end] of await fake.admin.offsets(topic, "end"))
        if (end > 0n && committed.get(`${topic}/${partition}`) !== end) return false;
    return true;
  };
  const keys = new Map<string, string>();
  const owned = parts.move();
  return {
    samples: await readSamples(codec),
    topics,
    joins: () => joins,
    /** How `consume` ended, `null` while it runs. */
    ended: () => ended,
    /** In the order given; a record's headers, which the fake keeps as they are, say which one it has become. */
    send: async (sent: readonly Made[]): Promise<readonly Placed[]> => {
      const of = new Map(sent.map((made) => [made.record.headers, made]));
      for (const { record, timestamp } of sent) if (timestamp !== null) stamps.set(record.headers, timestamp);
      await producer.send(sent.map(({ record }) => record));
      return topics.flatMap(everything).map((record) => {
        const made = of.get(record.headers);
        if (made === undefined) throw new Error(`nobody sent the record at ${placeOf(record)}`);
        keys.set(placeOf(record), `${record.topic}/${record.key}`);
        return { made, record, place: placeOf(record) };
      });
    },
    keyOf: (place: string) => keys.get(place),
    /**
     * Resolves when everything sent has its fate and every dead letter is in its topic; rejects with what ended the
     * consumer.
     */
    settled: () =>
      until(
        `everything in ${group} settled`,
        async () => {
          if (ended !== null) throw new Error(`the consumer has ended: ${ended}`);
          return (
            (await caughtUp()) && (await db.sql`select from outbox where published_at is null limit 1`).length === 0
          );
        },
        patience,
      ),
    deadLetters: async () => everything(deadLetterTopic(group)),
    handled: async () =>
      (await db.sql<{ place: string }[]>`select place from handled order by n`).map(({ place }) => place),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function placeOf({ topic, partition, offset }: Pick<FetchedRecord, "topic" | "partition" | "offset">): string {
  return `${topic}/${partition}@${offset}`;
}

function offsetOf(place: string): number {
  return Number(place.slice(place.lastIndexOf("@") + 1));
}

/** The last header of that name; `x-original-place` is put together of the three that say it. */
function textOf(letter: FetchedRecord, name: string): string {
  if (name === "x-original-place") {
    const [topic, partition, offset] = ["topic", "partition", "offset"].map((of) => textOf(letter, `x-original-${of}`));
    return `${topic}/${partition}@${offset}`;
  }
  return Buffer.from(letter.headers.findLast(([one]) => one === name)?.[1] ?? []).toString();
}

/**
 * What a dead letter has otherwise than the record. A missing key or value is an empty one there, and said; a NUL makes
 * a key travel beside.
 */
function differences(record: FetchedRecord, letter: FetchedRecord): readonly string[] {
  const found: string[] = [];
  if (!Buffer.from(record.value ?? []).equals(Buffer.from(letter.value ?? []))) found.push("other bytes");
  const missing = (["key", "value"] as const).filter((part) => record[part] === null).join();
  if (textOf(letter, "x-original-null") !== missing) found.push("what was missing");
  const beside = letter.headers.find(([name]) => name === "x-original-key")?.[1];
  const key = beside === undefined ? letter.key : Buffer.from(Buffer.from(beside).toString(), "base64").toString();
  if (key !== (record.key ?? "")) found.push(`the key ${JSON.stringify(letter.key)}`);
  for (const [n, [name, content]] of record.headers.entries()) {
    const [itsName, itsContent] = letter.headers[n] ?? ["", Buffer.alloc(0)];
    if (name !== itsName || !Buffer.from(content).equals(Buffer.from(itsContent))) found.push(`the header ${name}`);
  }
  return found;
}
