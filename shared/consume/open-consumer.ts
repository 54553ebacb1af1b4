import type { TopicPartition } from "../messages/broker.ts";
import { outboxChannel } from "../outbox/outbox.ts";
import type { Headers } from "../messages/message.ts";
import { groupsPassingOverPlain, type GroupName } from "../messages/topics.ts";
import type { Role } from "../role/role.ts";
import { isPlainCreation } from "../tasks/task-traits.ts";
import type { ConsumeOptions } from "./consume-options.ts";
import { makeControls, topicsGrown } from "./controls.ts";
import { makeDependency } from "./failure/dependency.ts";
import { makeFloodGuard } from "./failure/flood-guard.ts";
import { probeWrites } from "./failure/probe-writes.ts";
import { defaultTiersMs } from "./failure/retry.ts";
import { oneByOne } from "./handler.ts";
import type { HandlingContext } from "./handling.ts";
import { makeStanding } from "./log/standing.ts";
import { makeWake } from "../waiting/wake.ts";
import { makeMeters } from "./meters.ts";

/** What a consumer has for as long as it runs, whichever client reads for it. Tells the role how it does. */
export function openConsumer(options: ConsumeOptions, role: Role) {
  const { db, codec, group } = options;
  const part = `consumer ${group}`;
  const log = role.log.with({ group });
  const meters = makeMeters(role.metrics, group);
  const state = {
    hasJoined: false,
    isSound: true,
    /** The partitions its member owns now. */
    owned: [] as readonly TopicPartition[],
    /** Makes its client look at the logs at once. */
    lookAtLogs: (): void => {},
  };
  // Stops what runs beside the clients, whichever way the consumer ends.
  const here = new AbortController();
  const stop = AbortSignal.any([role.signal, here.signal]);
  const cutOff = new AbortController();
  const notifier = db.notifier(outboxChannel);
  const wake = makeWake();
  const probe = () => probeWrites(db.sql, part);
  const dependency = makeDependency({ probe, tell: (error) => role.tellOutage(part, error), log, stop });
  const flood = makeFloodGuard({ ...options.flood, log, stop, changed: meters.flooded });
  const controls = makeControls({
    db,
    group,
    log,
    stop,
    released: flood.release,
    changed: meters.pausedByOperator,
    heard: (what) => {
      wake.now();
      if (what === topicsGrown) state.lookAtLogs();
    },
  });
  const standing = makeStanding({ meters, log });
  role.readyWhen(part, () => state.hasJoined);
  role.healthyWhile(part, () => state.isSound);
  role.note(part, () => {
    const names = standing.names();
    return names.length === 0 ? null : `stands still at ${names.join(", ")}: records are missing`;
  });
  return {
    state,
    log,
    meters,
    dependency,
    flood,
    controls,
    standing,
    wake,
    stop,
    end: () => here.abort(),
    /** Cuts off the handlers that run. */
    cutOff: () => cutOff.abort(),
    handlingIn: (epoch: number): HandlingContext => ({
      db,
      codec,
      group,
      epoch,
      log,
      source: role.name,
      concerns: options.concerns ?? concernsOf(group),
      handle: "handleBatch" in options ? options.handleBatch : oneByOne(options.handle),
      handlerMs: options.handlerMs ?? 30_000,
      tiersMs: options.tiersMs ?? defaultTiersMs,
      now: role.now,
      stop: cutOff.signal,
      ending: stop,
      dependency,
      flood,
      meters,
      notify: notifier.notify,
      wake,
    }),
    [Symbol.asyncDispose]: async () => {
      here.abort();
      await notifier[Symbol.asyncDispose]();
    },
  };
}
export type Consumer = ReturnType<typeof openConsumer>;

/** Which records can concern a group; see `groupsPassingOverPlain`. */
function concernsOf(group: GroupName): (headers: Headers) => boolean {
  return groupsPassingOverPlain.includes(group) ? (headers) => !isPlainCreation(headers) : () => true;
}
