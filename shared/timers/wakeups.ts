import { DelayedError, Queue, Worker, type Job } from "bullmq";
import { Redis } from "ioredis";
import { checked, text, url, type Config } from "../role/config.ts";
import type { Log } from "../role/log.ts";
import { redisComplaints } from "../limits/redis-complaints.ts";
import { allowPasswordsInClear } from "../role/password-in-clear.ts";
import { deadline, settlesWithin } from "../waiting/wait.ts";
import type { Wakeup } from "./due-rows.ts";
import { makeCrowd } from "./crowd.ts";
import { readRedisServer, type RedisServer } from "./redis-server.ts";

export const redisSettings = checked(
  {
    url: url("REDIS_URL", ["redis", "rediss"]),
    prefix: text("REDIS_PREFIX", "taskwire"),
    allowPasswordsInClear,
  },
  ({ url: address = "", allowPasswordsInClear: isAllowed }) => (isAllowed === false ? redisComplaints(address) : []),
);

type RedisConfig = Pick<Config<typeof redisSettings>, "url" | "prefix">;

/** What Redis holds to be recognised by, and the run id of the server that said so (`null` where it is not told). */
export type SeenMarker = Readonly<{ value: string | null; server: string | null }>;

/**
 * Wake-ups in Redis: BullMQ delayed jobs `<id>_g<generation>`. Nothing here decides anything: a wake-up lost, doubled,
 * early or stale costs a lost compare-and-set or some lateness.
 */
export type Wakeups = AsyncDisposable &
  Readonly<{
    /**
     * Stores wake-ups that ring 1 to 2.5 s before their due instant, up to 30 s earlier still if thousands are due in
     * one second, and at once if that has passed. Of those that ring together, owners with few in that second come
     * first. One that is stored already stays as it is. Rejects within 5 s if Redis does not take them; some may be
     * stored all the same.
     */
    store: (batch: readonly Wakeup[], databaseNow: number) => Promise<void>;
    /**
     * Rings from now on. `onWake` returns 0 when it has taken the wake-up, or how many ms later it wants to be rung
     * again.
     */
    start: (onWake: (wakeup: Wakeup) => number) => void;
    isUp: () => boolean;
    marker: Readonly<{
      read: () => Promise<SeenMarker>;
      /** Puts `to` in the place of `from`; false, and nothing is changed, where something else is there by now. */
      replace: (from: string | null, to: string) => Promise<boolean>;
    }>;
  }>;

/** A wake-up rings so much ahead: a promoted job takes up to 20 ms at hz 500 and 100 ms at hz 10. */
export const leadMs = 1_000;
/** And up to so much more, by chance. */
const spreadMs = 1_500;
/**
 * A herd rings further ahead, so many a second: BullMQ hands nothing out while it promotes a thousand at a time, which
 * holds up others due at the same instant (9 s for 50,000, on a busy machine).
 */
const herdPerMs = 2;
const herdLeadMs = 30_000;
/** No wake-up rings further ahead than this by the clock it was stored with. */
export const longestLeadMs = leadMs + spreadMs + herdLeadMs;
const storeDeadlineMs = 5_000;
const closeDeadlineMs = 2_000;

/**
 * Each further group of so many wake-ups of one owner in one second gets a lower priority: it waits for all groups
 * before it.
 */
const roundSize = 20;

type WakeupRing = Readonly<{ id: string; generation: number; due: number; owner?: string }>;

/**
 * Connects, but does not insist: with Redis down it resolves after 3 s and the sweeper fires alone until Redis is back.
 * Rejects when Redis answers and may evict keys (maxmemory-policy other than noeviction): it would drop jobs silently.
 */
export async function openWakeups(
  config: RedisConfig,
  { queue: name, log }: Readonly<{ queue: string; log: Log }>,
): Promise<Wakeups> {
  const tell = makeTeller(log);
  const connect = (more: object) => {
    const redis = new Redis(config.url, {
      connectTimeout: 3_000,
      retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
      ...more,
    });
    redis.on("error", tell);
    return redis;
  };
  // Commands fail at once while Redis is away; the worker's blocking connection must wait for ever (BullMQ insists).
  const commands = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: 4_000 });
  const blocking = connect({ maxRetriesPerRequest: null });
  const server = await deadline(3_000, "Redis", readServer(commands)).catch((error: unknown) => {
    log.warn("redis_unreachable", { error, effect: "timers fire up to 2 s late until it is back" });
    return null;
  });
  const policy = server?.maxmemoryPolicy ?? null;
  if (policy !== null && policy !== "noeviction") {
    for (const redis of [commands, blocking]) redis.disconnect();
    throw new Error(
      `the Redis of REDIS_URL may evict keys (maxmemory-policy ${policy}) and would drop timers silently: set maxmemory-policy to noeviction`,
    );
  }
  if (server !== null)
    log.info("redis_found", {
      maxmemory_policy: policy ?? "not told",
      hz: server.hz ?? "not told",
      appendonly: server.appendOnly ?? "not told",
    });
  const queue = new Queue<WakeupRing>(name, { connection: commands, prefix: config.prefix, skipVersionCheck: true });
  queue.on("error", tell);
  let worker: Worker<WakeupRing> | null = null;
  const crowd = makeCrowd();
  // BullMQ owns every key below `<prefix>:<queue>:`, a "marker" of its own among them.
  const markerKey = `${config.prefix}:filled:${name}`;

  return {
    store: async (batch, databaseNow) => {
      const jobs = batch.map(({ id, generation, dueAt, owner = "" }) => {
        const due = dueAt.getTime();
        const { ofAll, ofOwner } = crowd.place(owner, due, databaseNow);
        const aheadMs = leadMs + Math.random() * spreadMs + ((ofAll / herdPerMs) % herdLeadMs);
        return {
          name: "due",
          data: { id, generation, due, owner },
          opts: {
            jobId: `${id}_g${generation}`,
            delay: Math.max(0, Math.round(due - databaseNow - aheadMs)),
            // 0, for most, is the plain list, which is served first; BullMQ's highest number is 2^21.
            priority: Math.min(2 ** 21, Math.floor(ofOwner / roundSize)),
            removeOnComplete: true,
            removeOnFail: true,
          },
        };
      });
      await deadline(storeDeadlineMs, "Redis", queue.addBulk(jobs));
    },
    start: (onWake) => {
      const ring = async (job: Job<WakeupRing>, token: string | undefined) => {
        const { id, generation, due, owner = "" } = job.data;
        const againMs = onWake({ id, generation, dueAt: new Date(due), owner });
        if (againMs === 0) return;
        await job.moveToDelayed(Date.now() + againMs, token);
        throw new DelayedError();
      };
      worker = new Worker<WakeupRing>(name, ring, {
        connection: blocking,
        prefix: config.prefix,
        skipVersionCheck: true,
        concurrency: 100,
        lockDuration: 5_000,
        stalledInterval: 5_000,
        // A job is rung again after a crash however often that happens; the row decides what it is worth.
        maxStalledCount: 1_000,
        runRetryDelay: 500,
      });
      worker.on("error", tell);
      worker.on("failed", (_job, error) => log.warn("wakeup_failed", { error }));
    },
    isUp: () => commands.status === "ready",
    marker: {
      read: async () => {
        const [value, info] = await deadline(
          storeDeadlineMs,
          "Redis",
          Promise.all([commands.get(markerKey), commands.info("server")]),
        );
        return { value, server: /^run_id:(\w+)/m.exec(info)?.[1] ?? null };
      },
      replace: async (from, to) =>
        (await deadline(storeDeadlineMs, "Redis", commands.eval(replaceScript, 1, markerKey, from ?? "", to))) === 1,
    },
    [Symbol.asyncDispose]: async () => {
      // worker.close() never settles while Redis is gone.
      await settlesWithin(closeDeadlineMs, Promise.all([worker?.close(), queue.close()]));
      await settlesWithin(closeDeadlineMs, worker?.disconnect() ?? Promise.resolve());
      for (const redis of [commands, blocking]) redis.disconnect();
    },
  };
}

/** No marker is the empty text. */
const replaceScript = `
  if (redis.call("get", KEYS[1]) or "") ~= ARGV[1] then return 0 end
  redis.call("set", KEYS[1], ARGV[2])
  return 1`;

/** One line per kind of error and minute: with Redis gone each connection fails several times a second. */
function makeTeller(log: Log): (error: Error) => void {
  const told = new Map<string, number>();
  return (error) => {
    const kind = `${error.name} ${error.message.slice(0, 60)}`;
    if (performance.now() - (told.get(kind) ?? -Infinity) < 60_000) return;
    if (told.size > 100) told.clear();
    told.set(kind, performance.now());
    log.warn("redis_error", { error });
  };
}

async function readServer(redis: Redis): Promise<RedisServer> {
  if (redis.status !== "ready") await new Promise<void>((resolve) => redis.once("ready", () => resolve()));
  return await readRedisServer((section) => redis.info(section));
}
