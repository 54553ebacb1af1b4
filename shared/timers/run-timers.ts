import type { Sql } from "../postgres/db.ts";
import { describeOutage } from "../role/outages.ts";
import type { Role } from "../role/role.ts";
import type { DueRows, Wakeup } from "./due-rows.ts";
import type { Pace } from "../waiting/pace.ts";
import { every } from "./every.ts";
import { fillHorizon } from "./fill-horizon.ts";
import { batchSize, makeFirer, type FiringPath } from "./fire-when-due.ts";
import { sweepOverdue } from "./sweep-overdue.ts";
import { leadMs, longestLeadMs, type Wakeups } from "./wakeups.ts";
import { rememberMarker } from "./watch-marker.ts";

type Timers = Readonly<{
  db: Readonly<{ sql: Sql }>;
  /**
   * Names the marker row and the metrics' `timer` label; the queue of `wakeups` has the same name: "reminders",
   * "occurrences".
   */
  name: string;
  wakeups: Wakeups;
  rows: DueRows;
  /**
   * Told of rows that are written, it says when to look for those without a wake-up; every half second where there is
   * none.
   */
  pace?: Pace;
}>;

const sweepMs = 2_000;
/**
 * Wake-ups that are missing or late by the dozen (Redis is away, or has more to do than it can) are made up for sooner.
 */
const missedMany = 20;
const sweepSoonMs = 250;
const fillMs = 500;
const markerMs = 1_000;
const countMs = 10_000;
/** A wake-up further ahead than this goes back to Redis: some process's clock is wrong. */
const holdMs = longestLeadMs + 2_500;
/** Stopping takes no longer than this for handing over what it holds, nearest first. */
const handBackForMs = 3_000;
/** A wake-up that rings at an instance that stops rings again after this, at another. */
const handBackMs = 100;

/**
 * Fires the rows of a table when they are due, exactly once by the compare-and-set of `rows.fire`: by a wake-up in
 * Redis, else by the sweeper within about 2 s. Any number of instances may run it on one table. Losing Redis loses
 * nothing. The role's clock must have been measured. Settles when `role.signal` is aborted and the running batches are
 * done.
 */
export async function runTimers({ db, name, wakeups, rows, pace }: Timers, role: Role): Promise<void> {
  const { signal } = role;
  const log = role.log.with({ timer: name });
  const tell = makeTeller(role, name);
  const clock = role.clock.measured();
  let madeUpFor = 0;
  const firer = makeFirer({
    fire: rows.fire,
    clock,
    log,
    onFired: (path, asked, lateMs) => {
      if (path === "sweeper") madeUpFor += lateMs.length;
      // What fires may have a next time.
      pace?.told();
      tell.fired(path, asked, lateMs);
    },
  });

  wakeups.start((wakeup) => {
    if (signal.aborted) return handBackMs;
    const earlyMs = wakeup.dueAt.getTime() - clock.now();
    if (earlyMs > holdMs) return Math.ceil(earlyMs - leadMs);
    firer.take(wakeup);
    return 0;
  });

  let epoch: number | null = null;
  let filledEpoch: number | null = null;
  const fill = async () => {
    if (epoch === null || !wakeups.isUp()) return;
    const target = epoch;
    const about = { rows, wakeups, epoch: target, databaseNow: clock.now, signal };
    if (filledEpoch !== target) {
      tell.armed(await fillHorizon({ ...about, rebuild: true }));
      filledEpoch = target;
    }
    const armed = await fillHorizon({ ...about, rebuild: false });
    if (armed > 0) pace?.found();
    tell.armed(armed);
  };
  // One that is full, or a replica, answers and stores nothing.
  let takesWakeups = true;
  const noting = (work: () => Promise<void>) => async () => {
    try {
      await work();
      takesWakeups = true;
    } catch (error) {
      takesWakeups = describeOutage(error)?.dependency !== "redis";
      throw error;
    }
  };
  const lookAtMarker = rememberMarker(db, name, wakeups.marker);
  const watch = async () => {
    const seen = await lookAtMarker();
    if (epoch !== null && seen !== epoch) {
      log.warn("redis_lost_its_contents", { epoch: seen });
      tell.rebuilt();
    }
    if (epoch !== seen) pace?.told();
    epoch = seen;
  };
  let sweptTo: Wakeup | null = null;
  let wasSoon = false;
  const sweep = async () => {
    const { found, after } = await sweepOverdue(rows, firer, { after: sweptTo, signal });
    sweptTo = after;
    // Not again and again for rows that cannot fire.
    wasSoon = found >= missedMany && (madeUpFor > 0 || !wasSoon);
    madeUpFor = 0;
    return wasSoon ? sweepSoonMs : undefined;
  };
  const count = async () => tell.late({ ...(await rows.late()), isRedisUp: wakeups.isUp() && takesWakeups });

  const loop = { signal, log, tellOutage: role.tellOutage };
  await Promise.all([
    every({ ...loop, ms: sweepMs, name: "sweep" }, sweep),
    every({ ...loop, ms: fillMs, name: "fill", ...(pace && { pace }) }, noting(fill)),
    every({ ...loop, ms: markerMs, name: "marker" }, watch),
    every({ ...loop, ms: countMs, name: "count" }, count),
  ]);
  const left = (await firer.stop()).toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime());
  // Another instance takes them at once; without this, and beyond what can be stored in time, they wait for its
  // sweeper.
  const until = clock.now() + handBackForMs;
  try {
    for (let from = 0; from < left.length && wakeups.isUp() && clock.now() < until; from += batchSize)
      await wakeups.store(left.slice(from, from + batchSize), clock.now());
  } catch (error) {
    log.warn("not_handed_back", { error });
  }
}

/** The objectives are 1 s and 5 s; below, what Redis and a busy machine cost; above, outages. */
const latenessBuckets = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600, 3_600];
/** Earlier than this is no error of what this process knows of the database's clock. */
const surelyEarlyMs = 100;

function makeTeller({ metrics }: Role, timer: string) {
  const lateness = metrics.histogram(
    "timer_lateness_seconds",
    "Committed firing minus due instant, both by the database clock.",
    ["timer"],
    latenessBuckets,
  );
  const early = metrics.counter("timer_early_total", "Firings committed more than 0.1 s before their due instant.", [
    "timer",
  ]);
  const fired = metrics.counter("timer_fired_total", "Rows fired, by what noticed them.", ["timer", "path"]);
  const undecided = metrics.counter("timer_not_fired_total", "Rows asked that were stale or locked: lost races.", [
    "timer",
    "path",
  ]);
  const armed = metrics.counter("timer_armed_total", "Wake-ups stored in Redis.", ["timer"]);
  const rebuilds = metrics.counter("timer_rebuilds_total", "Times Redis was found emptied, restored or restarted.", [
    "timer",
  ]);
  const late = metrics.gauge("timer_late_rows", "Rows past their due instant and not fired, up to 10,000.", ["timer"]);
  const oldest = metrics.gauge("timer_oldest_late_seconds", "How late the first of them is; 0 when none is.", [
    "timer",
  ]);
  const redis = metrics.gauge("timer_redis_up", "1 while wake-ups can be stored in Redis.", ["timer"]);
  rebuilds.inc({ timer }, 0);
  early.inc({ timer }, 0);
  return {
    late: (now: Readonly<{ rows: number; seconds: number; isRedisUp: boolean }>) => {
      late.set({ timer }, now.rows);
      oldest.set({ timer }, now.seconds);
      redis.set({ timer }, now.isRedisUp ? 1 : 0);
    },
    fired: (path: FiringPath, asked: number, lateMs: readonly number[]) => {
      for (const ms of lateMs) lateness.observe({ timer }, Math.max(0, ms) / 1_000);
      early.inc({ timer }, lateMs.filter((ms) => ms < -surelyEarlyMs).length);
      fired.inc({ timer, path }, lateMs.length);
      undecided.inc({ timer, path }, asked - lateMs.length);
    },
    armed: (count: number) => armed.inc({ timer }, count),
    rebuilt: () => rebuilds.inc({ timer }),
  };
}
