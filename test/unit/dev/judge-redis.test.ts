import { expect, test } from "bun:test";
import { judgeRedis } from "../../../dev/diagnose/judge-redis.ts";
import { readRedisServer } from "../../../shared/timers/redis-server.ts";

const info: Readonly<Record<string, string>> = {
  memory: "# Memory\r\nused_memory:1\r\nmaxmemory_policy:noeviction\r\n",
  server: "# Server\r\nredis_version:7.0.15\r\nhz:500\r\nconfigured_hz:500\r\n",
  persistence: "# Persistence\r\naof_enabled:1\r\n",
};

test("how a Redis is set up is read from INFO alone", async () => {
  expect(await readRedisServer(async (section) => info[section] ?? "")).toEqual({
    maxmemoryPolicy: "noeviction",
    hz: 500,
    appendOnly: "yes",
  });
  expect(await readRedisServer(async () => "")).toEqual({ maxmemoryPolicy: null, hz: null, appendOnly: null });
  expect(await readRedisServer(async () => "hz:10\r\naof_enabled:0")).toMatchObject({ hz: 10, appendOnly: "no" });
});

test.each([
  [{ maxmemoryPolicy: "noeviction", hz: 500, appendOnly: "yes" }, []],
  [{ maxmemoryPolicy: "noeviction", hz: 100, appendOnly: "yes" }, []],
  [{ maxmemoryPolicy: "allkeys-lru", hz: 500, appendOnly: "yes" }, ["bad maxmemory-policy is allkeys-lru"]],
  [{ maxmemoryPolicy: "noeviction", hz: 10, appendOnly: "no" }, ["note hz is 10", "note appendonly is off"]],
  [{ maxmemoryPolicy: null, hz: null, appendOnly: null }, ["note it does not tell its maxmemory-policy"]],
] as const)("doctor judges %j", (server, complaints) => {
  const [first, ...rest] = judgeRedis("redis://here", server);
  expect(first?.found).toStartWith("redis://here answers: maxmemory-policy ");
  expect(rest.map(({ state, found }) => `${state} ${found.split(":")[0]}`)).toEqual([...complaints]);
  if (server.hz === null) expect(first?.found).toEndWith("hz not told, appendonly not told");
});
