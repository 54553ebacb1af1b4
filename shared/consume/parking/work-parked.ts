import type { TopicPartition } from "../../messages/broker.ts";
import type { Log } from "../../role/log.ts";
import type { Sql } from "../../postgres/db.ts";
import { classify, isConflict, outageOf } from "../failure/classify.ts";
import type { LaneDependency } from "../failure/dependency.ts";
import type { FloodGuard } from "../failure/flood-guard.ts";
import { isEpochChange } from "../group-epoch.ts";
import type { ConsumerMeters } from "../meters.ts";
import { partitionName } from "../member/partition-name.ts";
import type { KeyOf } from "./parked-queue.ts";
import { positionOf } from "../failure/failed.ts";
import { conflictWait } from "../failure/retry.ts";
import { sleep } from "../../waiting/wait.ts";
import type { Wake } from "../../waiting/wake.ts";
import { workParkedKey, type Visit, type WorkParkedKey } from "./work-parked-key.ts";

/** About so long a key waits for the schema of its head. */
const postponeMs = 2_000;

type WorkParked = WorkParkedKey &
  Readonly<{
    sql: Sql;
    /** The partitions this member owns now; none during a rebalance. */
    owned: () => readonly TopicPartition[];
    /** False while an operator has paused the group. */
    mayWork: () => boolean;
    flood: FloodGuard;
    dependency: LaneDependency;
    /** Told what keeps single keys waiting, such as the registry; `null` when nothing does. */
    tellOutage: (error: unknown) => void;
    meters: Pick<ConsumerMeters, "settled" | "retried" | "dead" | "derived">;
    log: Log;
    /** Rings when a key was parked, a dead letter redriven, or a key made due by an operator. */
    wake: Wake;
    /** Called after a visit that wrote to the outbox. */
    notify: () => void;
    /** No further visit is begun; `stop` cuts off the one that runs. */
    ending: AbortSignal;
    pollMs?: number;
  }>;

/**
 * Works the parked keys of the partitions this member owns, each when it is due, until `ending`. Two members that both
 * believe they own one exclude each other by the key's lock. Rejects when the group was reset.
 */
export async function workParked(of: WorkParked): Promise<void> {
  const { log, ending, pollMs = 2_000 } = of;
  while (!ending.aborted) {
    const delays = [pollMs];
    try {
      const found = await of.dependency.await(() => findWaiting(of));
      if (found.length === 0) of.tellOutage(null);
      for (const key of found) delays.push(key.dueInMs > 0 ? key.dueInMs + 5 : await visit(of, key));
    } catch (error) {
      if (ending.aborted) return;
      if (isEpochChange(error)) throw error;
      log.warn("parked_work_failed", { error });
    }
    await of.wake.rest(Math.min(...delays), ending);
  }
}

type WaitingKey = KeyOf & TopicPartition & Readonly<{ dueInMs: number }>;

/** Those due first come first; an empty answer while nothing may be worked. */
async function findWaiting(of: WorkParked): Promise<readonly WaitingKey[]> {
  const owned = of.owned();
  // While a flood holds messages of lanes, one of those is the probe.
  if (owned.length === 0 || !of.mayWork() || of.flood.held() > 0) return [];
  return of.sql<WaitingKey[]>`
    select topic, key, partition,
      greatest(0, extract(epoch from next_at - clock_timestamp()) * 1000)::float8 as "dueInMs"
    from parked_keys
    where epoch = ${of.epoch} and (topic, partition) in (select * from unnest(
      ${owned.map(({ topic }) => topic)}::text[], ${owned.map(({ partition }) => partition)}::int[]))
    order by next_at limit 100`;
}

/** Works a key that is due. Returns how long to wait before the next look, in ms. */
async function visit(of: WorkParked, key: WaitingKey): Promise<number> {
  const owns = of.owned().some((at) => partitionName(at) === partitionName(key));
  if (of.ending.aborted || !owns || !of.mayWork()) return 0;
  try {
    const visited = await patientVisit(of, key);
    if ("waitsFor" in visited) return await postpone(of, key, visited.waitsFor);
    of.tellOutage(null);
    tell(of, visited);
    // Nothing settled: it has failed, or somebody else holds the key.
    return visited.done.length + visited.dead.length > 0 ? 0 : 50;
  } catch (error) {
    if (isEpochChange(error)) throw error;
    if (!of.ending.aborted) of.log.warn("parked_key_left", { topic: key.topic, key: key.key, error });
    return 1_000;
  }
}

/** What is down for this key alone: the registry has not told its schema, or this build cannot read it. */
type KeyWait = Readonly<{ waitsFor: unknown }>;

/** Postpones the key without counting a try: a look reads 100 keys, and waiting ones would hide those behind them. */
async function postpone(of: WorkParked, key: KeyOf, error: unknown): Promise<number> {
  of.tellOutage(error);
  of.log.warn("parked_key_waits", { topic: key.topic, key: key.key, error });
  await of.dependency.await(
    () => of.sql`
      update parked_keys set next_at = clock_timestamp() + ${postponeMs * (0.5 + Math.random())} * interval '1 millisecond'
      where epoch = ${of.epoch} and topic = ${key.topic} and key = ${key.key} and next_at <= clock_timestamp()`,
  );
  return postponeMs;
}

async function visitOnce(of: WorkParked, key: KeyOf): Promise<Visit | KeyWait> {
  try {
    return await workParkedKey(of, key);
  } catch (error) {
    const mark = outageOf(error)?.mark;
    if (mark === "UNAVAILABLE" || mark === "SCHEMA_INCOMPATIBLE") return { waitsFor: error };
    throw error;
  }
}

async function patientVisit(of: WorkParked, key: KeyOf): Promise<Visit | KeyWait> {
  for (let conflicts = 0; ; conflicts++)
    try {
      return await of.dependency.retry(() => visitOnce(of, key));
    } catch (error) {
      if (of.stop.aborted || of.ending.aborted || isEpochChange(error)) throw error;
      const waitMs = isConflict(error) ? conflictWait(conflicts, "handling") : null;
      if (waitMs !== null) await sleep(waitMs, of.ending);
      // What looked down answers its probe: now it is the message's own failure.
      else if (isAnswered(error)) return workParkedKey(of, key, judgeAnswered);
      else throw error;
    }
}

function isAnswered(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "DEPENDENCY_ANSWERS";
}

/** What proves itself is an outage all the same. */
function judgeAnswered(error: unknown) {
  const failure = classify(error);
  return failure === "dependency_down" && outageOf(error)?.isCertain !== true ? "unknown" : failure;
}

function tell(of: WorkParked, { done, dead, failed, derived, released }: Visit): void {
  const { meters, log } = of;
  if (derived > 0 || dead.length > 0) of.notify();
  meters.derived(derived);
  for (const { record } of done) {
    of.flood.worked(`${record.topic}/${record.key}`);
    meters.settled(record.topic, "done");
    log.info("parked_message_done", positionOf(record));
  }
  for (const { record, class: failure, error, attempts } of dead) {
    meters.settled(record.topic, "dead");
    meters.dead(failure);
    log.error("message_dead", { ...positionOf(record), class: failure, attempts, error });
  }
  if (failed !== null) {
    meters.retried(failed.class);
    const { record, class: failure, error, attempts } = failed;
    log.warn("parked_message_failed", { ...positionOf(record), class: failure, attempt: attempts, error });
  }
  if (released) log.info("key_released", { key: (done.at(-1) ?? dead.at(-1))?.record.key });
}
