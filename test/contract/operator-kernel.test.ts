import { expect, setDefaultTimeout, test } from "bun:test";
import { readSchemas } from "../../shared/avro/files.ts";
import type { Codec } from "../../shared/avro/codec.ts";
import { Problem } from "../../shared/problem.ts";
import { changeParked } from "../../workers/operator/actions/parked.ts";
import { controlConsumer } from "../../workers/operator/actions/control-consumer.ts";
import { everyDeadLetter } from "../support/every-dead-letter.ts";
import { editDeadLetter } from "../../workers/operator/actions/edit-dead-letter.ts";
import { groupDeadLetters, listDeadLetters } from "../../workers/operator/actions/list-dead-letters.ts";
import { listParked } from "../../workers/operator/actions/list-parked.ts";
import { redriveDeadLetters } from "../../workers/operator/actions/redrive-dead-letters.ts";
import { planRedrive } from "../../workers/operator/actions/redrive-plan.ts";
import { consumerWorld, group, write, type ConsumerWorld } from "../support/consumer-world.ts";
import { makeJsonCodec } from "../support/json-codec.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(60_000);
const by = { who: "test", via: "cli" as const, reason: null };
const json = makeJsonCodec();
const codec: Codec = {
  encode: (type, data) => json.encode(type, data),
  schemaId: () => 1,
  // Its JSON is what was encoded: a record of ours.
  decode: async (topic, value) =>
    (await json.decode(topic, value ?? new Uint8Array())) as Awaited<ReturnType<Codec["decode"]>>,
};

/** A group that fails on the messages of user "k" until it is healed. */
function stubborn(world: ConsumerWorld) {
  const conduct = { healed: false, fail: "permanent" as "permanent" | "unknown" };
  const consumer = world.start({
    tiersMs: [60_000],
    handle: async (message, { tx }) => {
      if (!conduct.healed && message.data.user_id === "k")
        throw conduct.fail === "permanent" ? new Problem("INVARIANT", "no such series") : new Error("no luck");
      await write(tx, message);
      return [];
    },
  });
  return { conduct, consumer };
}

const redrive = async (world: ConsumerWorld) => {
  const deps = {
    db: world.db,
    maxLag: 1000,
    liveLag: () => Promise.resolve(0),
    pace: { ratePerSecond: 1000, signal: new AbortController().signal },
  };
  return redriveDeadLetters(deps, {
    id: crypto.randomUUID(),
    plan: await planRedrive(world.db.sql, everyDeadLetter, 5),
    by,
  });
};

test("what a real group gave up on is seen by its kind, redriven when mended, and handled once, in order", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const { conduct } = stubborn(world);
  const ids = await world.send(["k", "k", "k"]);
  const kinds = await until("one kind of three", async () => {
    const found = await groupDeadLetters(world.db.sql, { ...everyDeadLetter, state: "dead" });
    return found[0]?.count === 3 && found;
  });
  expect(kinds).toMatchObject([{ group, keys: 1, error: expect.stringContaining("no such series") }]);
  conduct.healed = true;
  expect(await redrive(world)).toMatchObject({ moved: 3, left: 0 });
  await until("their effects", async () => (await world.effects()).length === 3);
  expect((await world.effects()).map(({ id }) => id)).toEqual([...ids]);
  expect(new Set((await world.fates()).map(({ fate }) => fate))).toEqual(new Set(["done"]));
  expect(await redrive(world)).toMatchObject({ moved: 0 });
});

test("an edited copy is handled by the group in place of its original", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  stubborn(world);
  await world.send(["k"]);
  const letter = await until(
    "the dead letter",
    async () => (await listDeadLetters(world.db.sql, everyDeadLetter, 10))[0],
  );
  const data = { id: "k", user_id: "someone else", deleted_at: "2026-03-01T10:00:00.000Z" };
  const deps = { db: world.db, codec: () => Promise.resolve(codec), readSchemas };
  const { id } = await editDeadLetter(deps, { id: letter.id, data }, { by, dryRun: false });
  expect(await redrive(world)).toMatchObject({ moved: 1, left: 0 });
  const [effect] = await until("its effect", async () => {
    const found = await world.effects();
    return found.length > 0 && found;
  });
  const states = await listDeadLetters(world.db.sql, everyDeadLetter, 10);
  expect(Object.fromEntries(states.map((one) => [one.id, one.state]))).toEqual({
    [letter.id]: "edited",
    [id]: "redriven",
  });
  expect(effect?.key).toBe("k");
  expect((await world.fates()).map(({ fate }) => fate).toSorted()).toEqual(["dead", "done"]);
});

test("a parked key waits for its next try until an operator asks for it, then goes in order", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const { conduct } = stubborn(world);
  conduct.fail = "unknown";
  const ids = await world.send(["k", "k"]);
  const filter = { group, topic: null, key: "k", fingerprint: null } as const;
  await until("a queue of two", async () => (await listParked(world.db.sql, filter, 10))[0]?.messages === 2);
  conduct.healed = true;
  // Whatever its tier drew, at most a minute: asked for, it does not wait for that.
  await world.db.sql`update parked_keys set next_at = clock_timestamp() + interval '1 hour'`;
  const done = await changeParked(
    world.db,
    { verb: "retry", filter: { ...filter, topic: "task-events" } },
    { by, dryRun: false },
  );
  expect(done).toMatchObject({ done: 1 });
  await until("their effects", async () => (await world.effects()).length === 2);
  expect((await world.effects()).map(({ id }) => id)).toEqual([...ids]);
});

test("a paused group reads nothing until it is resumed", async () => {
  await using world = await consumerWorld({ kafka: "fake", partitions: 1 });
  const { consumer } = stubborn(world);
  await world.send(["a"]);
  await until("the first effect", async () => (await world.effects()).length === 1);
  await controlConsumer(world.db, { group, control: "pause" }, { by, dryRun: false });
  await until("the group says so", () =>
    consumer.lines.some((line) => JSON.stringify(line).includes("paused_by_operator")),
  );
  await world.send(["b"]);
  // Nothing may happen: there is no fact to wait for, so it is given the time it would have needed many times over.
  await Bun.sleep(500);
  expect(await world.effects()).toHaveLength(1);
  await controlConsumer(world.db, { group, control: "resume" }, { by, dryRun: false });
  await until("the second effect", async () => (await world.effects()).length === 2);
});
