import { makeLog } from "../../shared/role/log.ts";
import { dueRows, type Fire } from "../../shared/timers/due-rows.ts";
import { runTimers } from "../../shared/timers/run-timers.ts";
import { openWakeups } from "../../shared/timers/wakeups.ts";
import type { ReminderWorld } from "./reminder-world.ts";
import { databaseClockOf, roleOf } from "./role-of.ts";

/**
 * So many instances that fire a world's reminders, in this process, on the stack's Redis below a prefix that is theirs.
 */
export async function startReminderTimers(
  { db }: Pick<ReminderWorld, "db">,
  { fire, count }: Readonly<{ fire: Fire; count: number }>,
): Promise<AsyncDisposable> {
  const url = process.env["REDIS_URL"] ?? "";
  const prefix = `race-${crypto.randomUUID().slice(0, 8)}`;
  const log = makeLog({}, "error");
  const abort = new AbortController();
  const start = async () => {
    const wakeups = await openWakeups({ url, prefix }, { queue: "reminders", log });
    const clock = await databaseClockOf(db);
    const role = roleOf({ name: "reminder-service", signal: abort.signal, log, clock });
    const rows = dueRows(db, { table: "reminders", due: "remind_at", owner: "user_id", fire });
    const running = runTimers({ db, name: "reminders", wakeups, rows }, role);
    return async () => {
      await running;
      await wakeups[Symbol.asyncDispose]();
    };
  };
  const stops = await Promise.all(Array.from({ length: count }, start));
  return {
    [Symbol.asyncDispose]: async () => {
      abort.abort();
      await Promise.all(stops.map((stop) => stop()));
      const redis = new Bun.RedisClient(url);
      const keys = (await redis.send("KEYS", [`${prefix}:*`])) as string[];
      if (keys.length > 0) await redis.send("DEL", keys);
      redis.close();
    },
  };
}
