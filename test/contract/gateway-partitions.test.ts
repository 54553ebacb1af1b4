import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Admin } from "@platformatic/kafka";
import { partitionOf } from "../../shared/kafka/partition.ts";
import { openStream, signIn, type Stream } from "../support/client.ts";
import { stack } from "../support/stack.ts";
import { until } from "../support/until.ts";
import { startGateways, type GatewayWorld } from "./gateway-world.ts";

// Gateways and producers look for partitions every 15 s or more; each is waited for.
setDefaultTimeout(150_000);
const patience = { timeoutMs: 60_000, everyMs: 250 };
const before = 6;
const after = 12;

let world: GatewayWorld;
beforeAll(async () => {
  world = await startGateways({ roles: { "ui-gateway": 1 } });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
});

/** Somebody whose partition moves, or stays. */
async function somebody(moves: boolean) {
  const address = world.system.url("ui-gateway");
  const user = await until(`a user who ${moves ? "moves" : "stays"}`, async () => {
    const found = await signIn(address, `grow-${crypto.randomUUID().slice(0, 8)}`);
    return (partitionOf(found.userId, before) !== partitionOf(found.userId, after)) === moves ? found : null;
  });
  let version = 0;
  const taskId = crypto.randomUUID();
  return {
    user,
    home: partitionOf(user.userId, after),
    write: async () => {
      await world.publish({ userId: user.userId, taskId, version: ++version });
    },
    version: () => version,
    all: (from = 1) => Array.from({ length: version - from + 1 }, (_, i) => from + i),
    open: (lastEventId: string | null = null, instance = 1) =>
      openStream(world.system.url("ui-gateway", instance), user, lastEventId),
  };
}
type Somebody = Awaited<ReturnType<typeof somebody>>;

async function addPartitions(): Promise<void> {
  const admin = new Admin({ clientId: "grow", bootstrapBrokers: stack().kafkaBrokers.split(",") });
  const name = `${world.system.env["KAFKA_PREFIX"]}task-updates`;
  await admin.createPartitions({ topics: [{ name, count: after }] });
  await admin.close();
}

const versions = (stream: Stream) => stream.changes().map(({ data }) => Number(data.payload["view_version"]));
const sees = (stream: Stream, version: number) =>
  stream.waitFor(`view ${version}`, ({ data }) => data?.payload?.["view_version"] === version, 60_000);
const resets = ({ events }: Stream) =>
  events.filter(({ event }) => event === "reset").map(({ data }) => data["reason"]);
const partitionIn = (id: string) => Number(id.split(".")[1]);

/** Writes until a change has come from the partition that is the user's from now on: producers hear of it by and by. */
async function writeUntilHome(one: Somebody, stream: Stream): Promise<void> {
  await until(
    "a change in the user's own partition",
    async () => {
      await one.write();
      await sees(stream, one.version());
      return stream.changes().some(({ id }) => partitionIn(id) === one.home);
    },
    patience,
  );
}

test("with partitions added, everybody gets every change once, and who moves is told to read again", async () => {
  const [mover, stayer] = [await somebody(true), await somebody(false)];
  using moving = await mover.open();
  using staying = await stayer.open();
  for (const one of [mover, stayer]) for (let i = 0; i < 2; i++) await one.write();
  await Promise.all([sees(moving, 2), sees(staying, 2)]);
  const old = { mover: moving.lastId(), stayer: staying.lastId() };

  await addPartitions();
  for (const one of [mover, stayer]) await one.write();
  const reset = await moving.waitFor("a reset", ({ event }) => event === "reset", 60_000);
  expect(reset.data["reason"]).toBe("moved");
  expect(partitionIn(reset.id)).toBe(mover.home);
  // Wherever a producer puts these now, they are given, to those who come back as well.
  await mover.write();
  await sees(moving, mover.version());
  await writeUntilHome(mover, moving);
  await stayer.write();
  await sees(staying, stayer.version());
  expect([versions(moving), resets(moving)]).toEqual([mover.all(), ["moved"]]);
  expect([versions(staying), resets(staying)]).toEqual([stayer.all(), []]);

  using gone = await mover.open(old.mover);
  const foreign = await gone.waitFor("a reset", ({ event }) => event === "reset");
  expect([foreign.data["reason"], partitionIn(foreign.id)]).toEqual(["foreign", mover.home]);
  using back = await mover.open(reset.id);
  using same = await stayer.open(old.stayer);
  using fresh = await mover.open();
  await Promise.all([sees(back, mover.version()), sees(same, stayer.version())]);
  await mover.write();
  for (const stream of [moving, gone, back, fresh]) await sees(stream, mover.version());
  expect([versions(gone), versions(fresh)]).toEqual([[mover.version()], [mover.version()]]);
  expect(versions(back)).toEqual(versions(back).toSorted((a, b) => a - b));
  expect(versions(back)[0]).toBeGreaterThanOrEqual(3);
  expect(versions(same)).toEqual(stayer.all(3));

  const second = await world.system.start("ui-gateway");
  using elsewhere = await mover.open(reset.id, second);
  using sameElsewhere = await stayer.open(old.stayer, second);
  await Promise.all([sees(elsewhere, mover.version()), sees(sameElsewhere, stayer.version())]);
  expect([resets(elsewhere), resets(sameElsewhere), versions(sameElsewhere)]).toEqual([[], [], stayer.all(3)]);
});
