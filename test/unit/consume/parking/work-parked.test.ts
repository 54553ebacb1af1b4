import { expect, test } from "bun:test";
import type { TopicPartition } from "../../../../shared/messages/broker.ts";
import { makeDependency } from "../../../../shared/consume/failure/dependency.ts";
import { makeWake } from "../../../../shared/waiting/wake.ts";
import { workParked } from "../../../../shared/consume/parking/work-parked.ts";
import { makeLog } from "../../../../shared/role/log.ts";
import type { Db, Sql } from "../../../../shared/postgres/db.ts";
import { group, topic } from "../../../support/consumer-world.ts";
import { makeJsonCodec } from "../../../support/json-codec.ts";

const zero = { topic, partition: 0 };
const log = makeLog({}, "error", () => {});

/** Which keys are visited by a member to which one key of partition 0 is due, until it has looked twice. */
async function visits(
  of: Readonly<{ owned?: readonly (readonly TopicPartition[])[]; mayWork?: () => boolean; held?: number }>,
): Promise<Readonly<{ asked: number; visited: number }>> {
  const ending = new AbortController();
  const owned = [...(of.owned ?? [])];
  let [looks, asked, visited] = [0, 0, 0];
  const sql = (async () => {
    asked += 1;
    return [{ ...zero, key: "k", dueInMs: 0 }];
  }) as unknown as Sql;
  const transaction = (async () => {
    visited += 1;
    return { done: [], dead: [], failed: null, derived: 0, released: false };
  }) as unknown as Db["transaction"];
  const working = workParked({
    db: { transaction },
    sql,
    codec: makeJsonCodec(),
    source: group,
    group,
    epoch: 1,
    handle: async () => [],
    handlerMs: 1_000,
    tiersMs: [],
    log,
    now: () => new Date(),
    stop: ending.signal,
    ending: ending.signal,
    owned: () => {
      if (++looks > 3) ending.abort();
      return owned.shift() ?? [zero];
    },
    mayWork: of.mayWork ?? (() => true),
    flood: {
      held: () => of.held ?? 0,
      isFlooded: () => false,
      worked: () => {},
      release: () => {},
      hold: async () => false,
    },
    dependency: makeDependency({ probe: async () => {}, log, stop: ending.signal }).ofLane(),
    tellOutage: () => {},
    meters: { settled: () => {}, retried: () => {}, dead: () => {}, derived: () => {} },
    wake: makeWake(),
    notify: () => {},
    pollMs: 1,
  });
  await working;
  return { asked, visited };
}

test("a key of an owned partition is visited when it is due", async () => {
  expect((await visits({})).visited).toBeGreaterThan(0);
});

test("a partition that was lost since its keys were looked for is left to its new owner", async () => {
  const lost = await visits({ owned: [[zero], [], [zero], [{ ...zero, partition: 1 }]] });
  expect([lost.asked > 0, lost.visited]).toEqual([true, 0]);
});

test.each([
  ["without a partition", { owned: [[], [], [], []] }],
  ["while an operator has paused the group", { mayWork: () => false }],
  ["while a flood holds messages, one of which is the probe", { held: 1 }],
])("%s nothing is looked for", async (_, of) => {
  expect(await visits(of)).toEqual({ asked: 0, visited: 0 });
});
