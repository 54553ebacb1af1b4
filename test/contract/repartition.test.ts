import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readTopicLayouts } from "../../shared/outbox/topic-layouts.ts";
import { planRepartition, type RepartitionPlan } from "../../workers/operator/actions/repartition-plan.ts";
import { repartitionTopic, type RepartitionStep } from "../../workers/operator/actions/repartition-topic.ts";
import { consumerWorld, group, record, topic } from "../support/consumer-world.ts";
import { operatorWorld, type OperatorWorld } from "../support/operator-world.ts";
import { openRelayWorld, relayRow as row, sequenceOf } from "../support/relay-world.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(90_000);

describe("relays", () => {
  type World = Awaited<ReturnType<typeof openRelayWorld>>;
  const patience = { timeoutMs: 30_000 };

  /** What the operator asks the broker: the log has a record, and groups have handled it when the test says so. */
  const adminOf = (world: World, isHandled: () => boolean = () => true) => ({
    offsets: (_: string, at: "start" | "end") =>
      Promise.resolve(
        new Map(Array.from({ length: world.partitions }, (_p, n) => [n, at === "end" && n === 0 ? 1n : 0n])),
      ),
    committed: () => Promise.resolve(isHandled() ? [{ topic: "task-events", partition: 0, offset: 1n }] : []),
    addPartitions: (_: string, partitions: number) => {
      world.partitions = partitions;
      return Promise.resolve();
    },
  });
  const planOf = (to = 12): RepartitionPlan => ({
    topic: "task-events",
    from: 6,
    to,
    writtenPerSecond: 0,
    waiting: 0,
    groups: [],
    relays: 2,
    parkedKeys: 0,
    newEpoch: false,
    expectedPauseSeconds: 3,
    refusals: [],
  });
  const by = { who: "ada", via: "cli", reason: null } as const;
  const repartition = (
    world: World,
    of: { isHandled?: () => boolean; onStep?: (step: RepartitionStep) => void } = {},
  ) =>
    repartitionTopic(
      {
        db: world.db,
        admin: adminOf(world, of.isHandled),
        signal: new AbortController().signal,
        drainMs: 20_000,
        onStep: of.onStep ?? (() => {}),
      },
      { id: crypto.randomUUID(), plan: planOf(), by },
    );

  test("while a topic is held nothing of it is published, others go on, and after it every record goes by the new partitions, in order", async () => {
    await using world = await openRelayWorld();
    await using relays = new AsyncDisposableStack();
    for (const name of ["r1", "r2"]) relays.use(await world.startRelay(name));
    const keys = Array.from({ length: 20 }, (_, n) => `key-${n}`);
    const stop = new AbortController();
    let sequence = 0;
    const writing = (async () => {
      while (!stop.signal.aborted) {
        sequence += 1;
        await world.write(keys.flatMap((key) => [row(key, sequence), row(key, sequence, { topic: "reminders" })]));
      }
    })();
    await until("some are published", () => world.taken.length > 200, patience);
    let others = 0;
    const countOf = (topic: string) => world.taken.filter((record) => record.topic === topic).length;
    let isHandled = false;
    const held = { events: 0, reminders: 0 };
    const done = repartition(world, {
      isHandled: () => isHandled,
      onStep: (step) => {
        if (step === "released") others = countOf("reminders") - held.reminders;
      },
    });
    await until("it is held", async () => (await readTopicLayouts(world.db.sql))[0]?.held !== null, patience);
    // What was on its way ends with the leases.
    await until(
      "relays have leases again",
      async () => (await world.shardsOf("r1")) + (await world.shardsOf("r2")) === 16,
      patience,
    );
    await until(
      "what was on its way has ended",
      async () => {
        const before = countOf("task-events");
        await Bun.sleep(300);
        return countOf("task-events") === before;
      },
      patience,
    );
    held.events = countOf("task-events");
    held.reminders = countOf("reminders");
    await until("others are published", () => countOf("reminders") > held.reminders + 100, patience);
    expect(countOf("task-events")).toBe(held.events);
    isHandled = true;
    expect(await done).toMatchObject({ step: "released", from: 6, to: 12 });
    await until("it goes on", () => countOf("task-events") > held.events + 100, patience);
    stop.abort();
    await writing;
    await until("all is published", async () => (await world.unpublished()) === 0, patience);
    expect(others).toBeGreaterThan(100);
    const after = world.taken.filter(({ topic }) => topic === "task-events").slice(held.events);
    expect(new Set(after.map(world.knownAt))).toEqual(new Set([12]));
    for (const key of keys) {
      const first = [...new Set(world.sequences(key))];
      expect(first).toEqual(Array.from({ length: sequence }, (_, n) => n + 1));
    }
  });

  test("a send that was in the air when its topic was held is made again, by the new partitions and before what follows it", async () => {
    await using world = await openRelayWorld();
    const air = Promise.withResolvers<void>();
    await using relays = new AsyncDisposableStack();
    relays.use(await world.startRelay("r1"));
    world.gate = air.promise;
    await world.write([row("k", 1), row("k", 2)]);
    await until("it is in the air", () => world.begun > 0, patience);
    // The send ends once there are new partitions, in an old one: a group may read it after what follows it.
    await repartition(world, { onStep: (step) => step === "grown" && air.resolve() });
    await world.write([row("k", 3)]);
    await until("all is published", async () => (await world.unpublished()) === 0, patience);
    const byNew = world.taken.filter((record) => world.knownAt(record) === 12).map(sequenceOf);
    // What is sent twice is no matter: readers tell it by its id.
    expect([...new Set(byNew)]).toEqual([1, 2, 3]);
  });

  test("a relay that starts later publishes a repartitioned topic too", async () => {
    await using world = await openRelayWorld();
    await repartition(world);
    await using relays = new AsyncDisposableStack();
    relays.use(await world.startRelay("late"));
    await world.write([row("k", 1)]);
    await until("it is published", () => world.taken.length === 1, patience);
  });
});

test("a group that is far behind handles what is in the old partitions before anything comes into the new ones", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 6 });
  const keys = Array.from({ length: 40 }, (_, n) => `key-${n}`);
  for (let n = 1; n <= 40; n++) await world.send(keys, n);
  const timing = { commitEveryMs: 50 };
  for (const member of ["one", "two"])
    world.start({
      timing,
      handle: async (message, context) => {
        await Bun.sleep(2); // a handler that takes its time: members come to new partitions while they are behind
        return record(member)(message, context);
      },
    });
  await until("both are at work", async () => (await world.effects()).length > 100, { timeoutMs: 30_000 });
  const plan = { topic, from: 6, to: 12, refusals: [] } as unknown as RepartitionPlan;
  const { admin } = world.broker;
  await repartitionTopic(
    // The other groups of the topic do not run here.
    {
      db: world.db,
      admin: { ...admin, committed: () => admin.committed(group) },
      signal: new AbortController().signal,
    },
    { id: crypto.randomUUID(), plan, by: { who: "ada", via: "cli", reason: null } },
  );
  for (let n = 41; n <= 43; n++) await world.send(keys, n);
  await until("everything is handled", () => world.caughtUp(), { timeoutMs: 60_000 });
  const order = Map.groupBy(await world.effects(), ({ key }) => key);
  for (const key of keys)
    expect({ key, order: order.get(key)?.map(({ n }) => n) }).toEqual({
      key,
      order: Array.from({ length: 43 }, (_, n) => n + 1),
    });
});

describe("the operator", () => {
  let world: OperatorWorld;
  beforeAll(async () => {
    world = await operatorWorld();
  });
  afterAll(async () => {
    await world?.[Symbol.asyncDispose]();
  });
  type Shown = { topics: { name: string; partitions: number; held: { by: string } | null; state: string }[] };
  const shown = async (topic: string) =>
    (await world.ops.json<Shown>("topics")).topics.find(({ name }) => name === topic);
  const partitionsOf = async (topic: string) => (await world.broker.admin.offsets(topic, "end")).size;
  const operation = async (topic: string) =>
    (await world.audited()).findLast(({ plan }) => (plan as { topic?: string }).topic === topic);

  /** Begins with a topic in a process of its own, which is killed when the step is on record. */
  const dieAfter = async (step: RepartitionStep, topic: string): Promise<string> => {
    const id = crypto.randomUUID();
    const child = Bun.spawn(
      [process.execPath, `${import.meta.dirname}/../support/die-in-repartition.ts`, id, topic, step],
      {
        env: { ...process.env, ...world.env },
        stdout: "inherit",
        stderr: "inherit",
      },
    );
    await child.exited;
    expect(child.signalCode).toBe("SIGKILL");
    return id;
  };

  test("a plan changes nothing and says what would be, and what keeps it from being done", async () => {
    type Told = { dryRun: boolean; plan: RepartitionPlan };
    const { dryRun, plan } = await world.ops.json<Told>("topics", "repartition", "task-updates", "--to", "12");
    expect(dryRun).toBe(true);
    expect(plan).toMatchObject({ from: 6, to: 12, newEpoch: true, refusals: [] });
    expect(await partitionsOf("task-updates")).toBe(6);
    const deps = { sql: world.db.sql, admin: world.broker.admin };
    const refused = async (topic: string, to: number) =>
      (await planRepartition(deps, { topic, to }, 0)).refusals.join();
    expect(await refused("reminders", 9)).toContain("9 is no multiple of 6");
    expect(await refused("reminders", 3)).toContain("cannot be taken away");
    expect((await world.ops("topics", "repartition", "nothing", "--to", "12")).err).toContain('no topic "nothing"');
    await using producer = await world.broker.producer();
    await producer.send([
      { topic: "task-commands", timestamp: Date.now(), key: "k", value: Buffer.from("x"), headers: [] },
    ]);
    expect(await refused("task-commands", 12)).toContain("task-service has not handled 1 messages and has no members");
    const applied = await world.ops("topics", "repartition", "task-commands", "--to", "12", "--apply");
    expect([applied.code, applied.err]).toEqual([1, expect.stringContaining("has no members")]);
    expect(await partitionsOf("task-commands")).toBe(6);
    await world.db.sql`insert into outbox_relays (instance, seen_at) values ('old', clock_timestamp())`;
    expect(await refused("reminders", 12)).toContain("1 relays of an earlier build run");
    await world.db.sql`delete from outbox_relays`;
  });

  test("a killed operator leaves the topic held; nobody begins another, and it is resumed from any step", async () => {
    const topics = {
      held: "task-events",
      drained: "reminders",
      growing: "series-events",
      grown: "reminder-commands",
    } as const;
    for (const [step, topic] of Object.entries(topics)) {
      const id = await dieAfter(step as RepartitionStep, topic);
      expect((await shown(topic))?.held).toMatchObject({ by: id });
      expect((await world.ops("topics")).out).toContain(`${topic} is held since`);
      if (step === "held") {
        const second = await world.ops("topics", "repartition", "task-updates", "--to", "12", "--apply");
        expect([second.code, second.err]).toEqual([1, expect.stringContaining(`the repartition ${id} is not over`)]);
      }
      const { code, out } = await world.ops("topics", "repartition", "--resume", id, "--by", "grace");
      expect([code, out]).toEqual([0, expect.stringContaining(`${topic}: 6 -> 12 partitions`)]);
      expect(await partitionsOf(topic)).toBe(12);
      expect(await shown(topic)).toMatchObject({ partitions: 12, held: null, state: "as wanted" });
      expect(await operation(topic)).toMatchObject({ id, state: "done", who: "mortal" });
      const again = await world.ops("topics", "repartition", "--resume", id);
      expect(again.err).toContain("is over: it was released");
    }
    const [row] = await world.db.sql`select progress from audit where id = ${(await operation("reminders"))?.id ?? ""}`;
    expect(row?.progress.steps.map(({ step, who }: { step: string; who: string }) => `${step} ${who}`)).toEqual([
      "held mortal",
      "drained mortal",
      "growing grace",
      "grown grace",
      "released grace",
    ]);
  });

  test("until partitions are added a repartition can be aborted, and not after it", async () => {
    for (const step of ["drained", "growing"] as const) {
      const id = await dieAfter(step, "notification-service-dlq");
      expect((await world.ops("topics", "repartition", "--abort", id)).out).toContain("as it was, with 6 partitions");
      expect(await shown("notification-service-dlq")).toMatchObject({ held: null, partitions: 6, state: "as wanted" });
      expect((await world.ops("topics", "repartition", "--resume", id)).err).toContain("is over: it was aborted");
    }
    const id = await dieAfter("grown", "notification-service-dlq");
    expect((await world.ops("topics", "repartition", "--abort", id)).err).toContain("cannot be taken away: resume");
    expect((await world.ops("topics", "repartition", "--resume", id)).code).toBe(0);
  });

  test("groups that do not come to the end in time end it, and the topic goes on as it was", async () => {
    const epochs = () => world.db.sql`select epoch from stream_epoch`;
    await world.db.sql`insert into consumer_groups (name) values ('task-service') on conflict do nothing`;
    const by = { who: "ada", via: "cli", reason: null } as const;
    const plan = { topic: "task-commands", from: 6, to: 12, refusals: [] } as unknown as RepartitionPlan;
    const before = await epochs();
    const id = crypto.randomUUID();
    const slow = repartitionTopic(
      { db: world.db, admin: world.broker.admin, drainMs: 500, signal: new AbortController().signal },
      { id, plan, by },
    );
    expect(await slow.then(String, String)).toContain("groups have not handled everything: task-service 1");
    expect(await shown("task-commands")).toMatchObject({ held: null, partitions: 6 });
    expect(await partitionsOf("task-commands")).toBe(6);
    expect(await epochs()).toEqual(before);
    expect(await operation("task-commands")).toMatchObject({ state: "failed" });
  });

  test("a topic with clients' positions gets a new epoch, and one that somebody else gave partitions is put right", async () => {
    const epoch = async () =>
      (await world.db.sql`select epoch from stream_epoch where topic = 'task-updates'`)[0]?.epoch;
    const first = await epoch();
    await world.broker.admin.addPartitions("task-updates", 12);
    // The broker applies what the controller has decided a moment later.
    await until("the partitions are there", async () => (await partitionsOf("task-updates")) === 12);
    expect(await shown("task-updates")).toMatchObject({ state: "refused" });
    expect((await world.ops("topics")).out).toContain("ops topics repartition task-updates --to 12");
    expect((await world.ops("topics", "repartition", "task-updates", "--to", "12", "--apply")).code).toBe(0);
    expect(await shown("task-updates")).toMatchObject({ state: "as wanted", partitions: 12 });
    expect(await epoch()).not.toBe(first);
  });
});
