import { describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Broker } from "../../shared/messages/broker.ts";
import type { Headers } from "../../shared/messages/message.ts";
import type { Handler } from "../../shared/consume/handler.ts";
import {
  breakable,
  consumerWorld,
  event,
  group,
  record,
  topic,
  write,
  type Consumer,
} from "../support/consumer-world.ts";
import { frame, uncachedSchemaId } from "../support/json-codec.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const keys = (count: number, of: number) => Array.from({ length: count }, (_, n) => `k${n % of}`);
const patience = { timeoutMs: 25_000 };

function expectOncePerMessage(effects: readonly { id: string }[], sent: readonly string[]) {
  expect(effects.map(({ id }) => id).toSorted()).toEqual([...sent].toSorted());
}

function expectOrderPerKey(effects: readonly { key: string; n: number }[]) {
  for (const [key, own] of Map.groupBy(effects, (effect) => effect.key))
    expect([key, ...own.map(({ n }) => n)]).toEqual([key, ...own.map((_, at) => at + 1)]);
}

describe.each(["fake", "real"] as const)("consuming from the %s broker", (kafka) => {
  test("every message is handled once, in order per key, and committed", async () => {
    await using world = await consumerWorld({ kafka });
    const sent = await world.send(keys(300, 7));
    const consumer = world.start({ handle: record() });
    await until("all effects", async () => (await world.effects()).length === 300, patience);
    await until("all commits", () => world.caughtUp(), patience);
    expect(consumer.ready()).toBe(true);
    const effects = await world.effects();
    expectOncePerMessage(effects, sent);
    expectOrderPerKey(effects);
  });

  test("a clean stop repeats nothing and the next member goes on behind it", async () => {
    await using world = await consumerWorld({ kafka });
    await world.send(keys(50, 5));
    const first = world.start({});
    await until("all effects", async () => (await world.effects()).length === 50, patience);
    await first.stop();
    expect(await world.caughtUp()).toBe(true);
    const more = await world.send(keys(5, 5), 11);
    const second = world.start({});
    await until("five more", async () => (await world.effects()).length === 55, patience);
    expect(await second.metrics.text()).not.toContain('outcome="duplicate"');
    expectOncePerMessage((await world.effects()).slice(-5), more);
  });

  test("what does not concern the group is settled and committed without a transaction; what follows it in its key is handled", async () => {
    await using world = await consumerWorld({ kafka });
    const sent = await world.send(keys(40, 4));
    const ofOthers = new Set(sent.filter((_, n) => n % 3 === 0));
    const idOf = (headers: Headers) => String(Buffer.from(headers.find(([name]) => name === "ce_id")?.[1] ?? []));
    const consumer = world.start({ concerns: (headers) => !ofOthers.has(idOf(headers)) });
    await until("all commits", () => world.caughtUp(), patience);
    const effects = await world.effects();
    expectOncePerMessage(
      effects,
      sent.filter((id) => !ofOthers.has(id)),
    );
    for (const own of Map.groupBy(effects, ({ key }) => key).values())
      expect(own.map(({ n }) => n)).toEqual(own.map(({ n }) => n).toSorted((a, b) => a - b));
    expect((await world.fates()).filter(({ message_id }) => ofOthers.has(message_id))).toEqual([]);
    expect(await consumer.metrics.text()).toMatch(new RegExp(`outcome="skipped"[^}]*\\} ${ofOthers.size}\\b`));
  });

  test("a message that always fails becomes one dead letter with its bytes as they were, and the others flow", async () => {
    await using world = await consumerWorld({ kafka });
    const poisoned = event("bad", 1, undefined);
    const sent = await world.send(keys(40, 4));
    await world.sendRaw([poisoned]);
    const handle: Handler = async (message, { tx }) => {
      await write(tx, message);
      if (message.key === "bad") throw new Error("no luck with 42");
      return [];
    };
    const consumer = world.start({ handle });
    await until("the dead letter", async () => (await world.deadLetters()).length === 1, patience);
    await until("all commits", () => world.caughtUp(), patience);
    expectOncePerMessage(await world.effects(), sent);
    const [dead] = await world.deadLetters();
    expect(dead?.key).toBe("bad");
    expect(Buffer.from(dead?.value ?? [])).toEqual(Buffer.from(poisoned.value ?? []));
    const headers = new Map(dead?.headers.map(([name, value]) => [name, String(value)]));
    for (const [name, value] of poisoned.headers) expect(headers.get(name)).toBe(Buffer.from(value).toString());
    expect(Object.fromEntries(headers)).toMatchObject({
      "x-original-topic": topic,
      "x-group": group,
      "x-error-class": "unknown",
      "x-error-message": "no luck with 42",
      "x-schema-id": "1",
    });
    // Four within 2 s, then one per tier.
    expect(JSON.parse(headers.get("x-attempts") ?? "")).toHaveLength(6);
    expect(headers.get("x-error-stack")).toContain("no luck");
    expect(headers.get("x-error-fingerprint")).toMatch(/^[0-9a-f]{16}$/);
    expect((await world.fates()).filter(({ fate }) => fate === "dead")).toHaveLength(1);
    await consumer.stop();
  });

  test("members that join and leave keep order per key and handle everything once", async () => {
    await using world = await consumerWorld({ kafka, partitions: 4 });
    const sent: string[] = [];
    const members = [world.start({ handle: record("a") }), world.start({ handle: record("b") })];
    let from = 1;
    const produce = async (rounds: number) => {
      for (let round = 0; round < rounds; round++, from += 10) {
        sent.push(...(await world.send(keys(200, 20), from)));
        await Bun.sleep(20); // spreads the records over the rebalance
      }
    };
    const joined = (member: Consumer) => until("joined", () => member.ready(), patience);
    await produce(3);
    await Promise.all(members.map(joined));
    const third = world.start({ handle: record("c") });
    await Promise.all([produce(8), joined(third)]);
    await Promise.all([produce(5), members[0]?.stop()]);
    const fourth = world.start({ handle: record("d") });
    await Promise.all([produce(8), joined(fourth)]);
    await produce(3);
    await until("all effects", async () => (await world.effects()).length >= sent.length, { timeoutMs: 60_000 });
    await until("all commits", () => world.caughtUp(), { timeoutMs: 30_000 });
    const effects = await world.effects();
    expectOncePerMessage(effects, sent);
    expectOrderPerKey(effects);
    expect(new Set(effects.map(({ member }) => member))).toEqual(new Set(["a", "b", "c", "d"]));
  }, 120_000);
});

test("a consumer told to stop before it has begun ends, and so does one told while it joins", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  await world.start({}).stop();
  const joining = world.start({});
  await until("its group", async () => (await world.db.sql`select from consumer_groups`).length === 1);
  await joining.stop();
  expect(world.fake?.members(group)).toBe(0);
});

test("a message delivered again changes nothing", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const again = event("k", 1);
  await world.sendRaw([again, event("k", 2), again]);
  const consumer = world.start({});
  await until("all commits", () => world.caughtUp());
  expect((await world.effects()).map(({ n }) => n)).toEqual([1, 2]);
  expect(await consumer.metrics.text()).toContain('outcome="duplicate"');
});

test("derived messages are written with the effect, once, with an id that follows from the cause", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const [first = ""] = await world.send(["k"]);
  const handle: Handler = async (message, { tx }) => {
    await write(tx, message);
    const data = {
      task_id: message.key,
      user_id: message.key,
      change_type: "deleted",
      payload: "{}",
      timestamp: new Date(),
    };
    return [
      { type: "TaskChanged", key: "u", subject: message.key, sequence: 1, data: { ...data, change_type: "deleted" } },
    ];
  };
  world.start({ handle });
  await until("all commits", () => world.caughtUp());
  const rows = await world.db.sql`select topic, key, headers, message_id, time from outbox`;
  expect(rows).toHaveLength(1);
  const headers = new Map<string, string>(rows[0]?.headers);
  expect([rows[0]?.topic, headers.get("ce_causationid"), headers.get("ce_correlationid")]).toEqual([
    "task-updates",
    first,
    "test",
  ]);
});

test("a handler's failure undoes its own effect and no other's, and a later success counts", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const sent = await world.send(keys(30, 3));
  let failures = 0;
  const handle: Handler = async (message, { tx }) => {
    await write(tx, message);
    if (message.key === "k1" && message.sequence === 4 && failures++ < 3) throw new Error("not yet");
    return [];
  };
  world.start({ handle });
  await until("all commits", () => world.caughtUp());
  const effects = await world.effects();
  expectOncePerMessage(effects, sent);
  expectOrderPerKey(effects);
  expect(await world.deadLetters()).toHaveLength(0);
});

test("what cannot be read is a dead letter at once, byte for byte, and once however often it is delivered", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const bad = [
    { ...event("k", 1), value: new Uint8Array([1, 2, 3]) },
    { ...event("k\0l", 1), value: frame(7, "{}") },
    { ...event("k", 2), value: null },
    {
      ...event("k", 3),
      headers: [
        ["odd", new Uint8Array([0xff, 0, 1])],
        ["ce_type", Buffer.from("N\0UL")],
      ] as const,
    },
  ];
  await world.sendRaw([...bad, event("k", 1)]);
  const consumer = world.start({});
  await until("all commits", () => world.caughtUp());
  await consumer.stop();
  const dead = await world.deadLetters();
  const hex = (value: Uint8Array | null) => Buffer.from(value ?? []).toString("hex");
  expect(dead.map(({ value }) => hex(value)).toSorted()).toEqual(bad.map(({ value }) => hex(value)).toSorted());
  const odd = dead.find(({ type }) => type === "N\u{fffd}UL");
  expect(odd?.headers[0]).toEqual(["odd", { base64: Buffer.from([0xff, 0, 1]).toString("base64") }]);
  expect((await world.effects()).map(({ n }) => n)).toEqual([1]);
  expect(consumer.lines.filter(({ event: name }) => name === "message_failed")).toHaveLength(0);
  // Forget the commits: everything is delivered again.
  await world.broker.admin.deleteGroup(group);
  world.start({});
  await until("all commits", () => world.caughtUp());
  expect(await world.deadLetters()).toHaveLength(4);
  expect(await world.effects()).toHaveLength(1);
});

test("an event type this build does not know is counted and passed", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  await world.sendRaw([{ ...event("k", 1), value: frame(1, "unknown:TaskStarred") }]);
  const consumer = world.start({});
  await until("all commits", () => world.caughtUp());
  expect(await consumer.metrics.text()).toMatch(/consumer_messages_total\{.*outcome="skipped".*\} 1/);
  expect(await world.fates()).toHaveLength(0);
});

test("while Postgres is down nothing is spent, and afterwards everything is handled once", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const { db, setBroken } = breakable(world.db);
  const consumer = world.start({ db, handle: record() });
  await until("joined", () => consumer.ready());
  setBroken(true);
  const sent = await world.send(keys(30, 6));
  await until("a pause", () => consumer.lines.some(({ event: name }) => name === "consumer_paused"));
  await Bun.sleep(1_500); // longer than the retries of a failing message would last
  setBroken(false);
  await until("all commits", () => world.caughtUp());
  expectOncePerMessage(await world.effects(), sent);
  expect(await world.deadLetters()).toHaveLength(0);
  expect(consumer.lines.filter(({ event: name }) => name === "message_failed")).toHaveLength(0);
});

test("a schema that only an unreachable registry knows is waited for", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  world.setRegistryDown(true);
  const { value } = event("k", 1);
  await world.sendRaw([
    {
      ...event("k", 1),
      value: frame(
        uncachedSchemaId,
        Buffer.from(value ?? [])
          .subarray(5)
          .toString(),
      ),
    },
  ]);
  const consumer = world.start({});
  await until("a pause", () => consumer.lines.some(({ event: name }) => name === "consumer_paused"));
  expect(await world.deadLetters()).toHaveLength(0);
  world.setRegistryDown(false);
  await until("the effect", async () => (await world.effects()).length === 1);
  expect(await world.deadLetters()).toHaveLength(0);
});

test("a failure that looks like an outage while everything answers is the message's own in the end", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  await world.send(["bad", "good"]);
  const handle: Handler = async (message, { tx }) => {
    if (message.key === "bad") throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    await write(tx, message);
    return [];
  };
  world.start({ handle });
  await until("all commits", () => world.caughtUp(), patience);
  await until("the dead letter", async () => (await world.deadLetters()).length === 1, patience);
  expect(await world.effects()).toHaveLength(1);
});

test("a handler that does not end is given up on after its deadline", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  await world.send(["slow", "good"]);
  const handle: Handler = async (message, { tx, signal }) => {
    if (message.key === "slow") await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    await write(tx, message);
    return [];
  };
  // Trying it four times takes longer than standing still is allowed to.
  world.start({ handle, handlerMs: 500, timing: { watchEveryMs: 50, stuckMs: 2_000 } });
  await until("all commits", () => world.caughtUp(), patience);
  await until("the dead letter", async () => (await world.deadLetters()).length === 1, patience);
  expect((await world.effects()).map(({ key }) => key)).toEqual(["good"]);
});

test("a batch handler gets the new messages only, in order", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const again = event("k", 1);
  await world.sendRaw([again, again, event("k", 2)]);
  const batches: number[][] = [];
  world.start({
    handleBatch: async (messages, { tx }) => {
      batches.push(messages.map(({ sequence }) => sequence));
      for (const message of messages) await write(tx, message);
      return messages.map(() => []);
    },
  });
  await until("all commits", () => world.caughtUp());
  expect(batches.flat()).toEqual([1, 2]);
});

test("a reset of the group ends the process", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const consumer = world.start({});
  await until("joined", () => consumer.ready());
  await world.db.sql`update consumer_groups set epoch = nextval('consumer_group_epoch')`;
  await world.send(["k"]);
  expect(consumer.stopped).rejects.toMatchObject({ code: "EPOCH_CHANGED" });
  await consumer.stopped.catch(() => {});
  expect(await world.effects()).toHaveLength(0);
});

test("a client whose stream failed is replaced and nothing is lost", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const consumer = world.start({});
  await until("joined", () => consumer.ready());
  const sent = [...(await world.send(keys(20, 4)))];
  await until("effects", async () => (await world.effects()).length === 20);
  world.fake?.setDown(true);
  await until("a failure", () => consumer.lines.some(({ event: name }) => name === "client_failed"));
  world.fake?.setDown(false);
  sent.push(...(await world.send(keys(20, 4), 6)));
  await until("all commits", () => world.caughtUp(), patience);
  expectOncePerMessage(await world.effects(), sent);
});

test("a member that stands still although there is something to read leaves with an error", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  // A zombie: joined, told its partitions, and never given a record.
  const deaf: Pick<Broker, "join" | "admin"> = {
    admin: world.broker.admin,
    join: (options) => world.broker.join({ ...options, onRecords: () => new Promise(() => {}) }),
  };
  await world.send(["k"]);
  const consumer = world.start({ broker: deaf, timing: { watchEveryMs: 50, stuckMs: 200 } });
  expect(consumer.stopped).rejects.toThrow("stands still although there are records to read");
  await consumer.stopped.catch(() => {});
});

test("a commit that another member's late one moved back is made again", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  await world.send(keys(10, 1));
  let commit: ((offset: bigint) => Promise<void>) | null = null;
  const broker: Pick<Broker, "join" | "admin"> = {
    admin: world.broker.admin,
    join: async (options) => {
      const member = await world.broker.join(options);
      commit = (offset) => member.commit([{ topic, partition: 0, offset }]);
      return member;
    },
  };
  // The first records may take a while on a busy machine, which is no standstill.
  const consumer = world.start({ broker, timing: { watchEveryMs: 50, stuckMs: 2_000 } });
  await until("all commits", () => world.caughtUp(), patience);
  await commit!(3n);
  expect(await world.caughtUp()).toBe(false);
  await until("all commits again", () => world.caughtUp());
  await consumer.stop();
});

test("an inbox that forgets before a message can come back for the last time is refused", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  await world.broker.admin.alterConfigs(`${group}-dlq`, { "retention.ms": String(40 * 86_400_000) });
  const consumer = world.start({});
  expect(consumer.stopped).rejects.toThrow("the inbox remembers 38 days");
  await consumer.stopped.catch(() => {});
});

test("connections to Postgres killed again and again cost no message and no attempt", async () => {
  await using world = await consumerWorld({ kafka: "fake" });
  const consumer = world.start({ handle: record(), timing: { commitEveryMs: 50 } });
  await until("joined", () => consumer.ready());
  const sent: string[] = [];
  for (let round = 0; round < 15; round++) {
    sent.push(...(await world.send(keys(60, 12), round * 5 + 1)));
    await world.db.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`.catch(() => {});
    await Bun.sleep(20); // lets some batches begin before the next blow
  }
  await until("all commits", () => world.caughtUp(), patience);
  const effects = await world.effects();
  expectOncePerMessage(effects, sent);
  expectOrderPerKey(effects);
  expect(await world.deadLetters()).toHaveLength(0);
});
