import type { RedisServer } from "../../shared/timers/redis-server.ts";
import type { Finding } from "./finding.ts";

/** At 100 a delayed job is promoted within 19 ms in 99 of 100 cases, at Redis's own 10 within 98 ms. */
const enoughHz = 100;

/**
 * Whether a Redis is set up to keep the reminders' wake-ups and to ring in time. What a managed one does not tell is
 * said.
 */
export function judgeRedis(address: string, { maxmemoryPolicy, hz, appendOnly }: RedisServer): readonly Finding[] {
  const told = `maxmemory-policy ${maxmemoryPolicy ?? "not told"}, hz ${hz ?? "not told"}, appendonly ${appendOnly ?? "not told"}`;
  const findings: Finding[] = [{ state: "good", what: "redis", found: `${address} answers: ${told}` }];
  if (maxmemoryPolicy === null)
    findings.push({
      state: "note",
      what: "redis",
      found: "it does not tell its maxmemory-policy: any but noeviction may drop waiting reminders",
      how: "look at the provider's settings",
    });
  else if (maxmemoryPolicy !== "noeviction")
    findings.push({
      state: "bad",
      what: "redis",
      found: `maxmemory-policy is ${maxmemoryPolicy}: it may drop waiting reminders, so the roles refuse it`,
      how: "redis-cli CONFIG SET maxmemory-policy noeviction",
    });
  if (hz !== null && hz < enoughHz)
    findings.push({
      state: "note",
      what: "redis",
      found: `hz is ${hz}: wake-ups ring up to ${Math.round(1000 / hz)} ms later than they could`,
      how: "redis-cli CONFIG SET hz 100",
    });
  if (appendOnly === "no")
    findings.push({
      state: "note",
      what: "redis",
      found: "appendonly is off: after a restart reminders wait for the sweeper until their wake-ups are stored again",
      how: "redis-cli CONFIG SET appendonly yes",
    });
  return findings;
}
