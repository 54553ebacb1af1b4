import { connect } from "node:net";
import { readRedisServer } from "../../shared/timers/redis-server.ts";
import type { PartName } from "../stack/stack.ts";
import type { Finding } from "./finding.ts";
import { judgeRedis } from "./judge-redis.ts";
import { proxyFor } from "../../shared/http/proxy-for.ts";

/**
 * Asks a server named by the environment whether it answers and, for Redis, whether it is set up to keep what it is
 * given.
 */
export async function askGiven(part: PartName, variable: string, url: string): Promise<readonly Finding[]> {
  const unreachable = (error: unknown): readonly Finding[] => [
    {
      state: "bad",
      what: part,
      found: `${variable} does not answer: ${error instanceof Error ? error.message : String(error)}`,
      how: `start it, correct ${variable}, or unset ${variable} to have one started`,
    },
  ];
  try {
    switch (part) {
      case "postgres":
        return [await askPostgres(url)];
      case "kafka": {
        for (const broker of url.split(",")) await reach(broker.trim());
        return [{ state: "good", what: part, found: `${url} accepts connections` }];
      }
      case "registry": {
        const signal = AbortSignal.timeout(5_000);
        const answer = await fetch(`${url.replace(/\/$/, "")}/subjects`, { signal, ...proxyFor(url) });
        if (!answer.ok && answer.status !== 401) throw new Error(`${answer.status} on /subjects`);
        return [{ state: "good", what: part, found: `${withoutPassword(url)} answers` }];
      }
      case "redis":
        return await askRedis(url);
    }
  } catch (error) {
    return unreachable(error);
  }
}

async function askPostgres(url: string): Promise<Finding> {
  const sql = new Bun.SQL(url, { max: 1, connectionTimeout: 5 });
  try {
    const [row] =
      await sql`select current_setting('server_version') as version, current_setting('server_version_num')::int as number`;
    const found = `${withoutPassword(url)} is Postgres ${row.version}`;
    if (row.number >= 150_000) return { state: "good", what: "postgres", found };
    return { state: "bad", what: "postgres", found, how: "Postgres 15 or newer is needed" };
  } finally {
    await sql.close();
  }
}

async function askRedis(url: string): Promise<readonly Finding[]> {
  const redis = new Bun.RedisClient(url, { connectionTimeout: 5_000, autoReconnect: false });
  try {
    const server = await readRedisServer(async (section) => String(await redis.send("INFO", [section])));
    return judgeRedis(withoutPassword(url), server);
  } finally {
    redis.close();
  }
}

function reach(address: string): Promise<void> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
    socket.setTimeout(5_000, () => socket.destroy(new Error("no answer within 5 s")));
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.destroy();
      resolve();
    });
  });
}

const withoutPassword = (url: string): string => url.replace(/(\/\/[^/@:]*):[^/@]*@/, "$1:…@");
