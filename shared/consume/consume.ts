import { inboxEveryMs, checkRetention, inboxUpkeep } from "./inbox-retention.ts";
import type { Role } from "../role/role.ts";
import { keepUp } from "../role/upkeep.ts";
import { settlesWithin } from "../waiting/wait.ts";
import type { ConsumeOptions } from "./consume-options.ts";
import { openGroup } from "./group-epoch.ts";
import { laneCount } from "./member/lanes.ts";
import { runClient } from "./member/run-client.ts";
import { timing } from "./member/session.ts";
import { supervise } from "./member/supervise.ts";
import { openConsumer } from "./open-consumer.ts";
import { tellParked } from "./parking/tell-parked.ts";
import { workParked } from "./parking/work-parked.ts";

/** Connections a consumer uses at once: one per lane, one for parked keys, one to probe with. */
export const consumerConnections = laneCount + 2;

/**
 * Reads topics as a member of a group and hands every message to the handler: at least once, in order per key, with its
 * effect in Postgres exactly once. Settles when `role.signal` is aborted and what was handled is committed; a clean
 * stop repeats nothing. Rejects with what this process cannot mend: a reset of its group, a member that stands still,
 * an inbox that forgets too soon.
 */
export async function consume(options: ConsumeOptions, role: Role): Promise<void> {
  const { broker, db, topics, group } = options;
  const times = { ...timing, ...options.timing };
  await using consumer = openConsumer(options, role);
  const { state, log, meters, dependency, controls, stop } = consumer;
  try {
    const epoch = await dependency.await(() => openGroup(db.sql, group));
    void keepUp({ everyMs: inboxEveryMs, steps: inboxUpkeep(db, log) }, { signal: stop, log, metrics: role.metrics });
    await dependency.await(() => checkRetention(broker.admin, group, topics));
    const handling = consumer.handlingIn(epoch);
    const owned = () => state.owned;
    const controlling = controls.run();
    // Beside the clients; its failure ends them.
    const parked = workParked({
      ...handling,
      sql: db.sql,
      owned,
      mayWork: () => !controls.isPaused(),
      tellOutage: (error) => role.tellOutage(`parked ${group}`, error),
    }).finally(consumer.end);
    const telling = tellParked({ sql: db.sql, epoch, topics, owned, meters, log, stop });
    const supervising = supervise({
      session: (wasSkipped) => runClient({ options, role, consumer, handling, timing: times }, wasSkipped),
      admin: broker.admin,
      meters,
      tellRefusal: (error) => role.tellOutage(`client ${group}`, error),
      log,
      stop,
    }).finally(consumer.end);
    const stopping = new Promise<void>((resolve) => {
      stop.addEventListener("abort", () => resolve(), { once: true });
      if (stop.aborted) resolve();
    });
    // A parked key's handler that does not end is cut off, like one of a lane. Nobody waits for it, nor for a silent
    // database.
    const given = stopping.then(async () => {
      if (await settlesWithin(times.drainMs, parked)) return;
      consumer.cutOff();
      await settlesWithin(1_000, parked);
    });
    const besides = stopping.then(() => settlesWithin(1_000, Promise.all([controlling, telling])));
    const outcomes = await Promise.allSettled([supervising, Promise.race([parked, given]), besides]);
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed) throw failed.reason;
  } catch (error) {
    if (role.signal.aborted) return log.warn("consumer_cut_short", { error });
    state.isSound = false;
    throw error;
  }
}
