import { Redis } from "ioredis";
import type { Log } from "../../../shared/role/log.ts";
import type { Metrics } from "../../../shared/role/metrics.ts";
import type { Ledger } from "./share-limiter.ts";

/** Longer than Redis ever takes; nobody waits for it but the next telling. */
const commandMs = 500;

type RedisLedger = Disposable & Ledger & Readonly<{ onFailure: (error: unknown) => void }>;

/**
 * The ledger of all instances in Redis: a key per bucket that has been used, `<prefix>:rate:<policy>:<key>`, which
 * expires when the bucket is full. By the clock of Redis alone. Connects, but does not insist: `add` rejects at once
 * while Redis is away, after 0.5 s where it is frozen, and a frozen connection is given up, so that nothing piles up in
 * it.
 */
export function openRedisLedger(
  { url, prefix }: Readonly<{ url: string; prefix: string }>,
  { log, metrics }: Readonly<{ log: Log; metrics: Metrics }>,
): RedisLedger {
  const shared = metrics.gauge(
    "rate_limits_shared",
    "1 while instances tell one another what users spent, 0 while each counts alone",
  );
  const failures = metrics.counter(
    "rate_limit_ledger_failures_total",
    "Times that what users spent could not be told to Redis",
  );
  const redis = new Redis(url, {
    connectTimeout: 3_000,
    commandTimeout: commandMs,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(100 * attempt, 1_000),
  });
  // Told by `onFailure`, once for all that failed in a row.
  redis.on("error", () => {});
  redis.on("ready", () => shared.set(1));
  redis.on("close", () => shared.set(0));
  let isTold = false;
  return {
    add: async (policy, taken) => {
      const keys = taken.map(({ key }) => `${prefix}:rate:${policy.name}:${key}`);
      const costs = taken.map(({ cost }) => cost);
      const perMs = policy.perSecond / 1000;
      const found: unknown = await redis.eval(script, keys.length, ...keys, policy.burst / perMs, perMs, ...costs);
      shared.set(1);
      if (isTold) log.info("rate_limits_shared_again");
      isTold = false;
      return Array.isArray(found) ? found.map(Number) : [];
    },
    onFailure: (error) => {
      failures.inc();
      shared.set(0);
      if (redis.status === "ready") redis.disconnect(true);
      if (!isTold)
        log.warn("rate_limits_not_shared", { error, effect: "each instance counts for itself until Redis is back" });
      isTold = true;
    },
    [Symbol.dispose]: () => redis.disconnect(),
  };
}

/**
 * KEYS: buckets; ARGV: ms in which an empty one fills, points that fill in a ms, then the points taken from each. A
 * value is the instant at which the bucket is full again, in ms, with a debt of a whole bucket at most. Answers how far
 * off each is.
 */
const script = `
  local time = redis.call("time")
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local fullIn = {}
  for at, key in ipairs(KEYS) do
    local full = math.max(now, tonumber(redis.call("get", key) or 0) or 0) + math.ceil(ARGV[2 + at] / ARGV[2])
    full = math.min(full, now + 2 * ARGV[1])
    local left = math.ceil(full - now)
    if left > 0 then redis.call("set", key, string.format("%.0f", now + left), "px", left) end
    fullIn[at] = left
  end
  return fullIn`;
